/**
 * A service that asks at its port "sum" once a millisecond, and counts what comes
 * of it. It begins with its first packet: by then its system runs.
 */

import type { ServiceFactory } from "../../mod.ts";

export default (({ filter, ports: { fields, portInterface } }) => ({
  receives: () => filter.grant("arp"),
  sends: () => filter.grant("udp src port 4001"),
  make(_settings, ports) {
    const counts: Record<string, number> = {};
    const count = (what: string) =>
      void (counts[what] = (counts[what] ?? 0) + 1);
    const sums = portInterface({
      name: "sums",
      request: fields.record({ a: fields.u16, b: fields.u16 }),
      answer: fields.u32,
      push: fields.text(20),
    });
    const sum = ports.ask("sum", sums, {
      onPush: (push) => count(`told-${push}`),
      onAvailable: (available) => count(available ? "came" : "went"),
    });
    let [asked, wakeAt] = [0, Infinity];
    return {
      get wakeAt() {
        return wakeAt;
      },
      wake(now) {
        wakeAt = now + 1000;
        const a = asked++ % 1000;
        sum.ask({ a, b: 7 }, (answer) => {
          if (answer === undefined) count("none");
          else count(answer === a + 7 ? "right" : "wrong");
        });
      },
      receive(_frame, now) {
        if (wakeAt === Infinity) wakeAt = now;
        return "handled";
      },
      counters: () => counts,
    };
  },
})) satisfies ServiceFactory;
