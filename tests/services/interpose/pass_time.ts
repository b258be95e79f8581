/** Lets virtual time pass. */

import type { VirtualTime } from "../../simulation/virtual_time.ts";

/** What is due in the next `us` microseconds happens, each thing at its own time. */
export function passTime(time: VirtualTime, us: number): void {
  const until = time.now + us;
  while (time.nextAt <= until) time.step();
  time.advance(until);
}
