/** The end of a TCP stream that sends as much as its peer's window takes, in super-packets: each a copy of what it has to send, with headers of its own. */

import {
  CHECKSUM_PARTIAL,
  GSO_TCP4,
  offloadWord,
} from "../../caps/port/offload.ts";
import type { Outbox } from "../../services/core/core.ts";
import type { ServiceDefinition } from "../../services/core/definition.ts";
import type { Instant } from "../../services/runtime/clock.ts";
import {
  getU16,
  getU32,
  setU16,
  setU32,
} from "../../services/wire/big_endian.ts";
import { fillIpv4Checksum, IPV4_BYTES } from "../../services/wire/ipv4.ts";
import {
  SEGMENT_BYTES,
  TCP_BYTES,
  TcpEnd,
  tcpService,
  type TcpSettings,
  WINDOW_BYTES,
} from "./tcp_end.ts";

/** Payload of a super-packet: as many segments as fit the 64 KiB of an outgoing string. */
const PAYLOAD_BYTES = 44 * SEGMENT_BYTES;

const SUPER_PACKET = offloadWord(CHECKSUM_PARTIAL, GSO_TCP4, SEGMENT_BYTES);

/** Gives one TCP stream at its port to whoever connects. */
export const tcpSource: ServiceDefinition<TcpSettings> = tcpService(
  (settings) => new TcpSource(settings),
);

class TcpSource extends TcpEnd {
  readonly #payload = new Uint8Array(PAYLOAD_BYTES);
  /** The first byte that is not acknowledged. */
  #first = 0;
  /** What the peer takes from there on. */
  #windowBytes = 0;

  protected override take(bytes: Uint8Array, at: number): void {
    // Nothing of it is under way before the peer's first acknowledgement.
    const acknowledged = getU32(bytes, at + 8);
    this.#first = acknowledged;
    this.#windowBytes = getU16(bytes, at + 14) << this.peerShift;
  }

  /** Sends while the window and the outbox have room. */
  override endOfBatch(_now: Instant, out: Outbox): void {
    for (;;) {
      const underWay = this.sequence - this.#first | 0;
      const room = Math.min(this.#windowBytes, WINDOW_BYTES) - underWay;
      // Less than a whole one is sent only where nothing else would bring room.
      const sizeBytes = room >= PAYLOAD_BYTES
        ? PAYLOAD_BYTES
        : underWay === 0
        ? room
        : 0;
      if (sizeBytes === 0 || !this.#send(sizeBytes, out)) return;
    }
  }

  /** False when there is no room now. */
  #send(sizeBytes: number, out: Outbox): boolean {
    const { pattern } = this;
    const frame = out.open(pattern.length + sizeBytes);
    if (frame === undefined) return false;
    const { bytes, start } = frame;
    const payload = this.#payload;
    const whole = sizeBytes === payload.length;
    bytes.set(pattern, start);
    const dataAt = start + pattern.length;
    bytes.set(whole ? payload : payload.subarray(0, sizeBytes), dataAt);
    const at = dataAt - TCP_BYTES;
    setU16(bytes, at - IPV4_BYTES + 2, IPV4_BYTES + TCP_BYTES + sizeBytes);
    fillIpv4Checksum(bytes, at - IPV4_BYTES, IPV4_BYTES);
    setU32(bytes, at + 4, this.sequence);
    setU32(bytes, at + 8, this.next);
    frame.length = pattern.length + sizeBytes;
    frame.offload = SUPER_PACKET;
    out.send();
    this.sequence = this.sequence + sizeBytes >>> 0;
    this.tally.add("bytes", sizeBytes);
    return true;
  }
}
