/** A service that answers sums, tells its askers after each ten, and fails after each hundred. */

import type { ServiceFactory } from "../../mod.ts";

export default (({ filter, ports: { fields, portInterface } }) => ({
  receives: () => filter.grant("udp dst port 4002"),
  sends: () => filter.grant("udp src port 4002"),
  make(_settings, ports) {
    let answered = 0;
    const sums = portInterface({
      name: "sums",
      request: fields.record({ a: fields.u16, b: fields.u16 }),
      answer: fields.u32,
      push: fields.text(20),
    });
    const end = ports.answer(sums, {
      onRequest({ request: { a, b } }) {
        answered++;
        if (answered % 10 === 0) end.push("ten-more");
        if (answered === 100) throw new Error("that was enough");
        return a + b;
      },
    });
    return {
      wakeAt: Infinity,
      wake() {},
      receive: () => "handled",
      counters: () => ({ answered }),
    };
  },
})) satisfies ServiceFactory;
