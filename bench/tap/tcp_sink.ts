/** The end of a TCP stream that counts the bytes that come in order, and acknowledges what came with a batch at its end. */

import type { Outbox } from "../../services/core/core.ts";
import type { ServiceDefinition } from "../../services/core/definition.ts";
import type { Instant } from "../../services/runtime/clock.ts";
import { getU32, setU16 } from "../../services/wire/big_endian.ts";
import { fillIpv4Checksum, IPV4_BYTES } from "../../services/wire/ipv4.ts";
import { TCP_BYTES, TcpEnd, tcpService, type TcpSettings } from "./tcp_end.ts";

/** Takes one TCP stream at its port. */
export const tcpSink: ServiceDefinition<TcpSettings> = tcpService(
  (settings) => new TcpSink(settings),
);

class TcpSink extends TcpEnd {
  /** Whether something came that is not acknowledged. */
  #owes = false;

  /** Acknowledges all of a batch. */
  override endOfBatch(_now: Instant, out: Outbox): void {
    if (!this.#owes) return;
    const answer = this.pattern;
    const frame = out.open(answer.length);
    if (frame === undefined) return;
    this.#owes = false;
    frame.bytes.set(answer, frame.start);
    frame.length = answer.length;
    const at = frame.start + answer.length - TCP_BYTES;
    setU16(frame.bytes, at - IPV4_BYTES + 2, IPV4_BYTES + TCP_BYTES);
    fillIpv4Checksum(frame.bytes, at - IPV4_BYTES, IPV4_BYTES);
    this.finish(frame.bytes, at, TCP_BYTES);
    out.send();
  }

  /** Counts what continues the stream. A segment that is sent again may bring more than was missing. */
  protected override take(
    bytes: Uint8Array,
    at: number,
    dataBytes: number,
    isLast: boolean,
  ): void {
    if (dataBytes === 0 && !isLast) return;
    this.#owes = true;
    const sequence = getU32(bytes, at + 4);
    const known = this.next - sequence | 0;
    if (known < 0 || known > dataBytes) {
      this.tally.add("out-of-order");
      return;
    }
    this.tally.add("segments");
    this.tally.add("bytes", dataBytes - known);
    this.next = sequence + dataBytes + (isLast ? 1 : 0) >>> 0;
  }
}
