/** A service that answers which Ethernet address has an IPv4 address: always the same. */

import type { ServiceFactory } from "../../mod.ts";

export default (({ core, filter, ports: { fields, portInterface } }) => ({
  receives: () => filter.grant("udp dst port 4002"),
  sends: () => filter.grant("udp src port 4002"),
  make(_settings, ports) {
    const neighbours = portInterface({
      name: "neighbours",
      request: fields.record({ address: fields.u32 }),
      answer: fields.record({ mac: fields.mac }),
    });
    const mac = Uint8Array.of(2, 0x53, 10, 77, 0, 1);
    ports.answer(neighbours, { onRequest: () => ({ mac }) });
    return {
      wakeAt: core.NEVER,
      wake() {},
      receive: () => "handled",
      counters: () => ({}),
    };
  },
})) satisfies ServiceFactory;
