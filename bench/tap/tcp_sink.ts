/**
 * The least of TCP that has a kernel send one stream as fast as it can: takes
 * connections at one port, one at a time, counts the bytes that come in order,
 * and acknowledges what came with a batch at its end. It never sends data, resets
 * or retransmits, and what a TCP has to guard against (RFC 5961) is nothing to a
 * benchmark.
 */

import { type Counts, Tally } from "../../caps/driver/accounts.ts";
import type {
  Core,
  DropReason,
  Frame,
  Outbox,
  Verdict,
} from "../../services/core/core.ts";
import { type Instant, NEVER } from "../../services/runtime/clock.ts";
import type {
  ServiceDefinition,
  ServiceSettings,
} from "../../services/core/definition.ts";
import { ethernet } from "../../services/filter/grant/builder.ts";
import { Ipv4Endpoint } from "../../services/ip/ipv4_endpoint.ts";
import { formatIpv4, formatMac } from "../../services/wire/address.ts";
import {
  getU16,
  getU32,
  setU16,
  setU32,
} from "../../services/wire/big_endian.ts";
import { checksum, pseudoHeaderSum } from "../../services/wire/checksum.ts";
import {
  fillIpv4Checksum,
  IPV4_BYTES,
  ipv4Destination,
  ipv4Source,
  PROTOCOL_TCP,
} from "../../services/wire/ipv4.ts";

/** RFC 9293, section 3.1: bytes of a header, and its flags. */
const TCP_BYTES = 20;
const FIN = 0x01;
const SYN = 0x02;
const RST = 0x04;
const ACK = 0x10;

/** What a SYN is answered with: the largest segment, and a window's scale (RFC 7323). */
const SYN_OPTIONS = [2, 4, 1460 >> 8, 1460 & 0xff, 1, 3, 3, 7];
const WINDOW_SHIFT = 7;

/** How much may be under way: well below what its extents hold, and what a TAP queues. */
const WINDOW_BYTES = 1 << 21;

/** Where its own sequence begins: no sender guesses here. */
const FIRST_SEQUENCE = 1;

const PORT_DEFAULT = 9000;

/** What it is told of itself. */
interface TcpSinkSettings extends ServiceSettings {
  /** Where it listens; 9000 by default. */
  readonly port?: number;
}

/** Takes one TCP stream at its port. */
export const tcpSink: ServiceDefinition<TcpSinkSettings> = {
  receives: ({ address, mac, port = PORT_DEFAULT }) =>
    ethernet().dst(formatMac(mac)).ipv4().dst(formatIpv4(address)).tcp()
      .dstPort(port).grant,
  sends: ({ address, mac, port = PORT_DEFAULT }) =>
    ethernet().src(formatMac(mac)).ipv4().src(formatIpv4(address)).tcp()
      .srcPort(port).grant,
  make: (settings) => new TcpSink(settings),
};

class TcpSink implements Core {
  readonly wakeAt: Instant = NEVER;
  readonly #tally = new Tally();
  readonly #endpoint: Ipv4Endpoint;
  readonly #settings: TcpSinkSettings;
  /** The next byte of the stream. */
  #next = 0;
  /** Whether something came that is not acknowledged. */
  #owes = false;
  /** An acknowledgement, with its headers. */
  #answer: Uint8Array = new Uint8Array(0);

  constructor(settings: TcpSinkSettings) {
    this.#settings = settings;
    this.#endpoint = new Ipv4Endpoint(settings);
  }

  counters(): Counts {
    return this.#tally.snapshot();
  }

  wake(): void {}

  /** Acknowledges all of a batch. */
  endOfBatch(_now: Instant, out: Outbox): void {
    if (this.#owes) this.#acknowledge(out);
  }

  onRoom(_now: Instant, out: Outbox): void {
    if (this.#owes) this.#acknowledge(out);
  }

  #acknowledge(out: Outbox): void {
    const answer = this.#answer;
    const frame = out.open(answer.length);
    if (frame === undefined) return;
    this.#owes = false;
    frame.bytes.set(answer, frame.start);
    frame.length = answer.length;
    const at = frame.start + answer.length - TCP_BYTES;
    this.#finish(frame.bytes, at, TCP_BYTES);
    out.send();
  }

  receive(frame: Frame): Verdict {
    const endpoint = this.#endpoint;
    const refusal = endpoint.admit(frame, PROTOCOL_TCP) ??
      this.#refusal(frame);
    if (refusal !== undefined) return refusal;
    const { bytes } = frame;
    const { payloadAt: at, payloadEnd } = endpoint;
    const sequence = getU32(bytes, at + 4);
    const flags = bytes[at + 13]!;
    if ((flags & RST) !== 0) return "handled";
    if ((flags & SYN) !== 0) {
      this.#next = sequence + 1 >>> 0;
      return this.#accept(frame);
    }
    const dataBytes = payloadEnd - at - headerBytes(bytes, at);
    if (dataBytes === 0 && (flags & FIN) === 0) return "handled";
    this.#take(sequence, dataBytes, (flags & FIN) !== 0);
    this.#owes = true;
    return "handled";
  }

  /** Counts what continues the stream. A segment that is sent again may bring more than was missing. */
  #take(sequence: number, dataBytes: number, last: boolean): void {
    const known = this.#next - sequence | 0;
    if (known < 0 || known > dataBytes) {
      this.#tally.add("out-of-order");
      return;
    }
    this.#tally.add("segments");
    this.#tally.add("bytes", dataBytes - known);
    this.#next = sequence + dataBytes + (last ? 1 : 0) >>> 0;
  }

  /** Why the segment that was admitted is none of the stream's; its checksum is the kernel's own, which it left to hardware. */
  #refusal(frame: Frame): DropReason | undefined {
    const { bytes } = frame;
    const { payloadAt: at, payloadEnd } = this.#endpoint;
    if (payloadEnd - at < TCP_BYTES) return "drop:truncated";
    const header = headerBytes(bytes, at);
    if (header < TCP_BYTES || header > payloadEnd - at) return "drop:length";
    const { port = PORT_DEFAULT } = this.#settings;
    return getU16(bytes, at + 2) === port ? undefined : "drop:not-mine";
  }

  /** Makes a SYN its own answer, and all further ones after its pattern. */
  #accept(frame: Frame): Verdict {
    const { bytes } = frame;
    const endpoint = this.#endpoint;
    const at = endpoint.payloadAt;
    const sourcePort = getU16(bytes, at);
    setU16(bytes, at, getU16(bytes, at + 2));
    setU16(bytes, at + 2, sourcePort);
    setU32(bytes, at + 4, FIRST_SEQUENCE);
    const sizeBytes = TCP_BYTES + SYN_OPTIONS.length;
    bytes[at + 12] = sizeBytes / 4 << 4;
    bytes[at + 13] = SYN | ACK;
    setU16(bytes, at + 14, WINDOW_BYTES >> WINDOW_SHIFT);
    setU16(bytes, at + 18, 0);
    bytes.set(SYN_OPTIONS, at + TCP_BYTES);
    endpoint.turn(frame, sizeBytes);
    this.#answer = patternOf(bytes.slice(frame.start, at + TCP_BYTES));
    this.#finish(bytes, at, sizeBytes);
    return "reply";
  }

  /** Acknowledges what came so far in the header at `at`, of which the IPv4 header in front is right. */
  #finish(bytes: Uint8Array, at: number, sizeBytes: number): void {
    setU32(bytes, at + 8, this.#next);
    setU16(bytes, at + 16, 0);
    const ipAt = at - IPV4_BYTES;
    const source = ipv4Source(bytes, ipAt);
    const destination = ipv4Destination(bytes, ipAt);
    const sum = pseudoHeaderSum(source, destination, PROTOCOL_TCP);
    const all = checksum(bytes, at, at + sizeBytes, sum + sizeBytes);
    setU16(bytes, at + 16, all);
  }
}

/** The answer to a SYN, without its options, as a mere acknowledgement. */
function patternOf(answer: Uint8Array): Uint8Array {
  const at = answer.length - TCP_BYTES;
  setU16(answer, at - IPV4_BYTES + 2, IPV4_BYTES + TCP_BYTES);
  fillIpv4Checksum(answer, at - IPV4_BYTES, IPV4_BYTES);
  setU32(answer, at + 4, FIRST_SEQUENCE + 1);
  answer[at + 12] = TCP_BYTES / 4 << 4;
  answer[at + 13] = ACK;
  return answer;
}

function headerBytes(bytes: Uint8Array, at: number): number {
  return bytes[at + 12]! >>> 4 << 2;
}
