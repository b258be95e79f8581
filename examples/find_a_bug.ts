// deno run examples/find_a_bug.ts: it needs no permission at all.

/** Finds the bug of ticket_service.ts: whatever the wire does, a customer gets one ticket. */

import fc from "fast-check";
import { getU32 } from "../mod.ts";
import {
  faultSchedule,
  formatTrace,
  Neighbour,
  simulate,
} from "../tests/testing.ts";
import { tickets } from "./ticket_service.ts";

const oneTicketEach = fc.asyncProperty(
  fc.uniqueArray(fc.integer({ min: 1, max: 9 })), // customers: each asks once
  faultSchedule({ stations: ["test", "host"] }),
  async (customers, faults) => {
    using world = simulate({ services: { tickets }, faults });
    for (const customer of customers) {
      const question = Uint8Array.of(0, 0, 0, customer, 0, 0, 0, 0);
      world.send(new Neighbour().datagram(7, question), customer);
    }
    await world.run({ forMs: 50 });
    world.check();
    const given = new Map<number, number>();
    for (const { bytes } of world.sent("host")) {
      const customer = getU32(bytes, 42); // behind Ethernet, IPv4 and UDP
      const ticket = getU32(bytes, 46);
      const first = given.get(customer) ?? ticket;
      given.set(customer, first);
      if (ticket !== first) throw new Error(formatTrace(world.trace));
    }
  },
);

const found = await fc.check(oneTicketEach, { seed: 1 });
console.log(`two tickets for one: ${JSON.stringify(found.counterexample)}`);
console.log((found.errorInstance as Error | null)?.message);
