import { deepEqual } from "node:assert/strict";
import { Expiry } from "../../../../services/filter/service/expiry.ts";
import { Alarms } from "../../../../services/runtime/alarms.ts";
import { VirtualClock } from "../../runtime/virtual_clock.ts";

Deno.test("one alarm is set for what expires next, moved with it, and set again when it has rung", () => {
  const clock = new VirtualClock();
  const alarms = new Alarms(clock);
  const log: string[] = [];
  const set = alarms.set.bind(alarms);
  const cancel = alarms.cancel.bind(alarms);
  Object.assign(alarms, {
    set: (atUs: number, ring: () => void) => {
      log.push(`set ${atUs}`);
      return set(atUs, ring);
    },
    cancel: (alarm: Parameters<typeof cancel>[0]) => {
      log.push(`cancelled ${alarm.expiresAtUs}`);
      cancel(alarm);
    },
  });
  const times = [5000, 7000];
  const expiry = new Expiry({
    alarms,
    nextUs: () => times[0] ?? Infinity,
    onDue: () => log.push(`due ${times.shift()} at ${clock.now()}`),
  });
  const logged = () => log.splice(0);
  clock.advance(1);
  deepEqual(logged(), []);
  expiry.update();
  expiry.update();
  deepEqual(logged(), ["set 5000"]);
  times.unshift(3000);
  expiry.update();
  deepEqual(logged(), ["cancelled 5000", "set 3000"]);
  times.shift();
  expiry.update();
  deepEqual(logged(), ["cancelled 3000", "set 5000"]);
  clock.advance(4);
  deepEqual(logged(), ["due 5000 at 5000", "set 7000"]);
  times.shift();
  expiry.update();
  expiry.update();
  deepEqual(logged(), ["cancelled 7000"]);
  clock.advance(100);
  deepEqual(logged(), []);
});
