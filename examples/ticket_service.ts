/**
 * A service with a bug, for find_a_bug.ts to find. Customers ask it for a ticket:
 * a datagram with their number, 4 bytes, and 4 more for the ticket's number.
 */

import {
  type Core,
  ETHERNET_BYTES,
  IPV4_BYTES,
  NEVER,
  type ServiceDefinition,
  setU16,
  setU32,
  UDP_BYTES,
  udpEchoService,
} from "../mod.ts";

const UDP_AT = ETHERNET_BYTES + IPV4_BYTES;

export const tickets: ServiceDefinition = {
  ...udpEchoService,
  make(settings, ports): Core {
    // The echo checks a datagram and turns it round: what is left is the ticket.
    const echo = udpEchoService.make(settings, ports);
    let count = 0;
    return {
      wakeAt: NEVER,
      wake() {},
      counters: () => ({ tickets: count }),
      receive(frame, now, out) {
        const verdict = echo.receive(frame, now, out);
        if (verdict !== "reply") return verdict;
        if (frame.length < UDP_AT + UDP_BYTES + 8) return "drop:question";
        setU32(frame.bytes, frame.start + UDP_AT + UDP_BYTES + 4, ++count);
        setU16(frame.bytes, frame.start + UDP_AT + 6, 0); // no checksum
        return "reply";
      },
    };
  },
};
