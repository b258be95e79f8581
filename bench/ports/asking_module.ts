/** A service that asks as soon as it is answered: one request at a time at its port "one", 64 at once at "many". */

import type { ServiceFactory } from "../../mod.ts";

export default (({ core, filter, ports: { fields, portInterface } }) => ({
  receives: () => filter.grant("udp dst port 4001"),
  sends: () => filter.grant("udp src port 4001"),
  make(_settings, ports) {
    const neighbours = portInterface({
      name: "neighbours",
      request: fields.record({ address: fields.u32 }),
      answer: fields.record({ mac: fields.mac }),
    });
    let [answered, waiting] = [0, 0];
    const askAt = (name: string, batch: number) => {
      const ask = () => {
        for (; waiting < batch; waiting++) {
          port.ask({ address: answered + waiting }, onAnswer);
        }
      };
      const onAnswer = () => {
        answered++;
        if (--waiting === 0) ask();
      };
      const onAvailable = (available: boolean) => available && ask();
      const port = ports.ask(name, neighbours, { onAvailable });
    };
    askAt("one", 1);
    askAt("many", 64);
    return {
      wakeAt: core.NEVER,
      wake() {},
      receive: () => "handled",
      counters: () => ({ answered }),
    };
  },
})) satisfies ServiceFactory;
