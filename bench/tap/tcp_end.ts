/**
 * The least of TCP that has a kernel take part in one stream as fast as it can:
 * takes connections at one port, one at a time, and what comes in the order of
 * its sequence. It never resets or retransmits, and what a TCP has to guard
 * against (RFC 5961) is nothing to a benchmark.
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
  IPV4_BYTES,
  ipv4Destination,
  ipv4Source,
  PROTOCOL_TCP,
} from "../../services/wire/ipv4.ts";

/** RFC 9293, section 3.1: bytes of a header, and its flags. */
export const TCP_BYTES = 20;
const FIN = 0x01;
const SYN = 0x02;
const RST = 0x04;
const ACK = 0x10;

/** The largest segment without options, over IPv4 and Ethernet. */
export const SEGMENT_BYTES = 1460;

/** What a SYN is answered with: the largest segment, and a window's scale (RFC 7323). */
const SYN_OPTIONS = [
  2,
  4,
  SEGMENT_BYTES >> 8,
  SEGMENT_BYTES & 0xff,
  1,
  3,
  3,
  7,
];
const WINDOW_SHIFT = 7;

/** How much may be under way: well below what its extents hold, and what a TAP queues. */
export const WINDOW_BYTES: number = 1 << 21;

/** Where its own sequence begins: no sender guesses here. */
const FIRST_SEQUENCE = 1;

const PORT_DEFAULT = 9000;

/** What an end is told of itself. */
export interface TcpSettings extends ServiceSettings {
  /** Where it listens; 9000 by default. */
  readonly port?: number;
}

/** A service that is one end of a stream. */
export function tcpService(
  make: (settings: TcpSettings) => Core,
): ServiceDefinition<TcpSettings> {
  return {
    receives: ({ address, mac, port = PORT_DEFAULT }) =>
      ethernet().dst(formatMac(mac)).ipv4().dst(formatIpv4(address)).tcp()
        .dstPort(port).grant,
    sends: ({ address, mac, port = PORT_DEFAULT }) =>
      ethernet().src(formatMac(mac)).ipv4().src(formatIpv4(address)).tcp()
        .srcPort(port).grant,
    make,
  };
}

/** What the ends have in common. */
export abstract class TcpEnd implements Core {
  readonly wakeAt: Instant = NEVER;
  protected readonly tally: Tally = new Tally();
  /** The next byte of the peer's stream. */
  protected next = 0;
  /** The next byte of the own one. */
  protected sequence = 0;
  /** A segment without data and options, with its headers; checksums aside. */
  protected pattern: Uint8Array = new Uint8Array(0);
  /** By how many bits the peer's windows are shifted. */
  protected peerShift = 0;
  readonly #endpoint: Ipv4Endpoint;
  readonly #settings: TcpSettings;

  constructor(settings: TcpSettings) {
    this.#settings = settings;
    this.#endpoint = new Ipv4Endpoint(settings);
  }

  counters(): Counts {
    return this.tally.snapshot();
  }

  wake(): void {}

  receive(frame: Frame): Verdict {
    const endpoint = this.#endpoint;
    const refusal = endpoint.admit(frame, PROTOCOL_TCP) ??
      this.#refusal(frame);
    if (refusal !== undefined) return refusal;
    const { bytes } = frame;
    const { payloadAt: at, payloadEnd } = endpoint;
    const flags = bytes[at + 13]!;
    if ((flags & RST) !== 0) return "handled";
    if ((flags & SYN) !== 0) return this.#accept(frame);
    const dataBytes = payloadEnd - at - headerBytes(bytes, at);
    this.take(bytes, at, dataBytes, (flags & FIN) !== 0);
    return "handled";
  }

  abstract endOfBatch(now: Instant, out: Outbox): void;

  onRoom(now: Instant, out: Outbox): void {
    this.endOfBatch(now, out);
  }

  /** Takes a segment with its header at `at`. */
  protected abstract take(
    bytes: Uint8Array,
    at: number,
    dataBytes: number,
    isLast: boolean,
  ): void;

  /** Acknowledges what came so far in the header at `at`, of which the IPv4 header in front is right. */
  protected finish(bytes: Uint8Array, at: number, sizeBytes: number): void {
    setU32(bytes, at + 8, this.next);
    setU16(bytes, at + 16, 0);
    const ipAt = at - IPV4_BYTES;
    const source = ipv4Source(bytes, ipAt);
    const destination = ipv4Destination(bytes, ipAt);
    const sum = pseudoHeaderSum(source, destination, PROTOCOL_TCP);
    const all = checksum(bytes, at, at + sizeBytes, sum + sizeBytes);
    setU16(bytes, at + 16, all);
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
    this.next = getU32(bytes, at + 4) + 1 >>> 0;
    this.sequence = FIRST_SEQUENCE + 1;
    this.peerShift = windowShift(bytes, at);
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
    this.pattern = patternOf(bytes.slice(frame.start, at + TCP_BYTES));
    this.finish(bytes, at, sizeBytes);
    return "reply";
  }
}

/** The answer to a SYN, without its options, as a mere acknowledgement. */
function patternOf(answer: Uint8Array): Uint8Array {
  const at = answer.length - TCP_BYTES;
  setU32(answer, at + 4, FIRST_SEQUENCE + 1);
  answer[at + 12] = TCP_BYTES / 4 << 4;
  answer[at + 13] = ACK;
  return answer;
}

/** The window's scale among the options of the SYN at `at` (RFC 7323 section 2.2); 0 by default. */
function windowShift(bytes: Uint8Array, at: number): number {
  const end = at + headerBytes(bytes, at);
  for (let option = at + TCP_BYTES; option < end && bytes[option] !== 0;) {
    if (bytes[option] === 3) return bytes[option + 2]!;
    option += bytes[option] === 1 ? 1 : Math.max(2, bytes[option + 1]!);
  }
  return 0;
}

function headerBytes(bytes: Uint8Array, at: number): number {
  return bytes[at + 12]! >>> 4 << 2;
}
