/** Answers ICMP echo requests to a host's IPv4 addresses (RFC 792, RFC 1122 section 3.2.2.6). */

import type { Core, Frame, Verdict } from "../core/core.ts";
import { Ipv4Endpoint, type Ipv4Options } from "../ip/ipv4_endpoint.ts";
import { Responder } from "../core/responder.ts";
import { getU16, setU16 } from "../wire/big_endian.ts";
import { checksum, updateChecksum } from "../wire/checksum.ts";
import {
  checkIcmp,
  ICMP_ECHO_REPLY,
  ICMP_ECHO_REQUEST,
  icmpType,
} from "../wire/icmp.ts";
import { PROTOCOL_ICMP } from "../wire/ipv4.ts";

/** A core that answers echo requests to the addresses of `options` in place. */
export function makeIcmpEcho(options: Ipv4Options): Core {
  return new IcmpEchoCore(options);
}

class IcmpEchoCore extends Responder {
  readonly #endpoint: Ipv4Endpoint;

  constructor(options: Ipv4Options) {
    super();
    this.#endpoint = new Ipv4Endpoint(options);
  }

  receive(frame: Frame): Verdict {
    const endpoint = this.#endpoint;
    const { bytes } = frame;
    const refusal = endpoint.admit(frame, PROTOCOL_ICMP);
    if (refusal !== undefined) return refusal;
    const at = endpoint.payloadAt;
    const problem = checkIcmp(bytes, at, endpoint.payloadEnd);
    if (problem !== undefined) return `drop:${problem}`;
    if (icmpType(bytes, at) !== ICMP_ECHO_REQUEST) {
      return "drop:not-echo";
    }
    changeType(bytes, at, endpoint.payloadEnd);
    endpoint.turn(frame, endpoint.payloadEnd - at);
    this.tally.add("echoed");
    return "reply";
  }
}

/** Makes the request in `bytes[at..end)` a reply: one word of it changes. */
function changeType(bytes: Uint8Array, at: number, end: number): void {
  const before = getU16(bytes, at);
  bytes[at] = ICMP_ECHO_REPLY;
  const sum = getU16(bytes, at + 2);
  const updated = updateChecksum(sum, before, getU16(bytes, at));
  setU16(bytes, at + 2, updated);
  // A reply of zeros alone has the checksum 65,535, which no update can tell
  // from the other ones' complement zero.
  if (updated === 0) setU16(bytes, at + 2, checksum(bytes, at, end));
}
