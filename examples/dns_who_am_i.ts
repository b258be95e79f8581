// deno task sallyport up --service './examples/dns_who_am_i.ts=udp dst port 53 and dst host 10.77.0.2'

/** A service of one's own: answers questions of DNS with the address that asks (RFC 1035). */

import type { ServiceFactory } from "../mod.ts";

const HEADER_BYTES = 12;

/** For the name that the question has: type A, class IN, good for 0 s, four bytes. */
const ANSWER = [0xc0, HEADER_BYTES, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4];

export default (({ services, wire }) =>
  services.answerDatagrams(53, (query, asker) => {
    let end = HEADER_BYTES;
    while (query[end]! > 0) end += 1 + query[end]!;
    end += 5; // the root's label, type and class
    const answerable = end <= query.length && (query[2]! & 0xf8) === 0 &&
      wire.getU16(query, 4) === 1;
    if (!answerable) return undefined;

    const asksForAddress = wire.getU16(query, end - 4) === 1;
    const reply = new Uint8Array(end + ANSWER.length + 4);
    reply.set(query.subarray(0, end));
    reply[2]! |= 0x84; // an answer, with authority
    reply[3] = 0;
    wire.setU32(reply, 6, asksForAddress ? 0x10000 : 0);
    wire.setU16(reply, 10, 0);
    reply.set(ANSWER, end);
    wire.setU32(reply, end + ANSWER.length, asker.address);
    return asksForAddress ? reply : reply.subarray(0, end);
  })) satisfies ServiceFactory;
