/**
 * The host on the other end of an emulated wire: it looks for its target by
 * ARP, then pings it and sends UDP datagrams to its echo port, paced and drawn
 * from a seed, and checks every answer to the last byte.
 */

import { type Counts, Tally } from "../../caps/driver/accounts.ts";
import { makeArp } from "../arp/core.ts";
import type { Core, Frame, Outbox, Verdict } from "../core/core.ts";
import type { Instant } from "../runtime/clock.ts";
import { Ipv4Endpoint } from "../ip/ipv4_endpoint.ts";
import { Random, seedOf } from "../runtime/random.ts";
import {
  ARP_REPLY,
  ARP_SENDER_MAC,
  arpOperation,
  arpSenderAddress,
  arpTargetAddress,
  checkArp,
} from "../wire/arp.ts";
import { getU16 } from "../wire/big_endian.ts";
import {
  etherTypeOffset,
  isGroupMac,
  isMac,
  MAC_BYTES,
} from "../wire/ethernet.ts";
import {
  IPV4_BYTES,
  ipv4Destination,
  ipv4Source,
  PROTOCOL_ICMP,
  PROTOCOL_UDP,
} from "../wire/ipv4.ts";
import { Pace } from "./pace.ts";
import { Exchange } from "./exchange.ts";
import { PeerFrames } from "./frames.ts";
import { ETHERTYPE } from "../wire/numbers.ts";

/** Who the peer is, whom it speaks to, and how often. */
export interface PeerOptions {
  /** Hardware address: six bytes. */
  readonly mac: Uint8Array;
  /** IPv4 address, 32 bits. */
  readonly address: number;
  /** The IPv4 address that it speaks to, 32 bits. */
  readonly target: number;
  /** What its choices come from, 32 bits: the same seed, the same frames. */
  readonly seed: number;
  /** From one ping to the next; Infinity for none. */
  readonly pingIntervalUs: number;
  /** From one datagram to the next; Infinity for none. */
  readonly udpIntervalUs: number;
  /** Share of unclaimed frames, in a hundred; 10 by default. */
  readonly noisePercent?: number;
  /** The most bytes in a ping or a datagram; 1,472 by default, and at most. */
  readonly payloadBytesMax?: number;
  /** The port that datagrams go to; 7 by default. */
  readonly udpPort?: number;
  /** Frames of a kind that are sent at one wake-up, at most; 64 by default. */
  readonly burst?: number;
}

/** From one ARP request to the next while the target is not found. */
export const ARP_RETRY_US = 100_000;

/**
 * A peer. It counts `arp-sent`, `arp-resolved`, `ping-sent`, `ping-answered`,
 * `udp-sent`, `udp-answered`, `noise-sent`, `wrong-answers` (what the target
 * sent and nobody asked for, asked for twice, or came back changed) and
 * `no-room` (frames that the outbox had no room for: they are not sent).
 *
 * @throws {RangeError} when a number of the options is out of its bounds.
 */
export function makePeer(options: PeerOptions): Core {
  return new Peer(options);
}

class Peer implements Core {
  readonly #options: PeerOptions;
  readonly #tally = new Tally();
  readonly #arp: Core;
  readonly #endpoint: Ipv4Endpoint;
  readonly #frames: PeerFrames;
  readonly #random: Random;
  readonly #noiseShare: number;
  readonly #pings: Exchange;
  readonly #datagrams: Exchange;
  readonly #pingPace: Pace;
  readonly #udpPace: Pace;
  /** The target's hardware address, once it is known. */
  #targetMac: Uint8Array | undefined;
  #askAt: Instant = 0;

  constructor(options: PeerOptions) {
    const { seed, noisePercent = 10, payloadBytesMax = 1472, burst = 64 } =
      options;
    checkRange("noisePercent", noisePercent, 0, 100);
    checkRange("payloadBytesMax", payloadBytesMax, 1, 1472);
    this.#options = options;
    this.#arp = makeArp(options);
    this.#endpoint = new Ipv4Endpoint(options);
    this.#frames = new PeerFrames(options);
    this.#random = new Random(seedOf(seed, 0));
    this.#noiseShare = noisePercent / 100;
    const draw = { payloadBytesMax };
    this.#pings = new Exchange(seedOf(seed, 1), { ...draw, bytesMin: 0 });
    this.#datagrams = new Exchange(seedOf(seed, 2), { ...draw, bytesMin: 1 });
    this.#pingPace = new Pace(options.pingIntervalUs, burst);
    this.#udpPace = new Pace(options.udpIntervalUs, burst);
  }

  get wakeAt(): Instant {
    if (this.#targetMac === undefined) return this.#askAt;
    return Math.min(this.#pingPace.nextAt, this.#udpPace.nextAt);
  }

  counters(): Counts {
    return this.#tally.snapshot();
  }

  wake(now: Instant, out: Outbox): void {
    const targetMac = this.#targetMac;
    if (targetMac === undefined) {
      if (now >= this.#askAt) this.#ask(now, out);
      return;
    }
    const pings = this.#pingPace.due(now);
    for (let i = 0; i < pings; i++) {
      this.#maybeNoise(targetMac, out);
      this.#ping(targetMac, out);
    }
    const datagrams = this.#udpPace.due(now);
    for (let i = 0; i < datagrams; i++) {
      this.#maybeNoise(targetMac, out);
      this.#datagram(targetMac, out);
    }
  }

  receive(frame: Frame, now: Instant, out: Outbox): Verdict {
    const { bytes, start } = frame;
    const end = start + frame.length;
    const typeAt = etherTypeOffset(bytes, start, end);
    if (typeAt < 0) return "drop:truncated";
    const at = typeAt + 2;
    const type = getU16(bytes, typeAt);
    if (type === ETHERTYPE.arp) {
      this.#learn(bytes, at, end, now);
      return this.#arp.receive(frame, now, out);
    }
    if (
      type !== ETHERTYPE.ipv4 || at + IPV4_BYTES > end ||
      !isMac(bytes, start, this.#options.mac) ||
      ipv4Destination(bytes, at) !== this.#options.address
    ) return "drop:not-mine";
    if (this.#isAnswer(frame, at)) return "handled";
    this.#tally.add("wrong-answers");
    return "drop:wrong-answer";
  }

  /** Takes the target's hardware address from its reply. */
  #learn(bytes: Uint8Array, at: number, end: number, now: Instant): void {
    if (
      checkArp(bytes, at, end) !== undefined ||
      arpOperation(bytes, at) !== ARP_REPLY ||
      arpSenderAddress(bytes, at) !== this.#options.target ||
      arpTargetAddress(bytes, at) !== this.#options.address ||
      isGroupMac(bytes, at + ARP_SENDER_MAC) ||
      this.#targetMac !== undefined
    ) return;
    const macAt = at + ARP_SENDER_MAC;
    this.#targetMac = Uint8Array.from(bytes.subarray(macAt, macAt + MAC_BYTES));
    this.#tally.add("arp-resolved");
    this.#pingPace.start(now);
    this.#udpPace.start(now);
  }

  /** Whether the frame for us is the intact answer to something that was sent. */
  #isAnswer(frame: Frame, headerAt: number): boolean {
    const { bytes, start } = frame;
    const targetMac = this.#targetMac;
    if (
      targetMac === undefined || !isMac(bytes, start + MAC_BYTES, targetMac) ||
      ipv4Source(bytes, headerAt) !== this.#options.target
    ) return false;
    const endpoint = this.#endpoint;
    if (endpoint.admit(frame, PROTOCOL_ICMP) === undefined) {
      const { payloadAt, payloadEnd } = endpoint;
      const sequence = this.#frames.pingOf(bytes, payloadAt, payloadEnd);
      return this.#complete("ping-answered", this.#pings, frame, sequence);
    }
    if (endpoint.admit(frame, PROTOCOL_UDP) === undefined) {
      const { payloadAt, payloadEnd } = endpoint;
      const sequence = this.#frames.datagramOf(bytes, payloadAt, payloadEnd);
      return this.#complete("udp-answered", this.#datagrams, frame, sequence);
    }
    return false;
  }

  /** Completes exchange `sequence` with the payload behind the 8 bytes of its header. */
  #complete(
    name: string,
    exchange: Exchange,
    frame: Frame,
    sequence: number,
  ): boolean {
    const { payloadAt, payloadEnd } = this.#endpoint;
    if (
      sequence < 0 ||
      !exchange.complete(sequence, frame.bytes, payloadAt + 8, payloadEnd)
    ) return false;
    this.#tally.add(name);
    return true;
  }

  #ask(now: Instant, out: Outbox): void {
    this.#askAt = now + ARP_RETRY_US;
    if (this.#frames.request(out)) this.#tally.add("arp-sent");
    else this.#tally.add("no-room");
  }

  #ping(targetMac: Uint8Array, out: Outbox): void {
    const payload = this.#pings.draw();
    const sequence = this.#pings.sequence;
    if (!this.#frames.ping(targetMac, sequence, payload, out)) {
      return this.#tally.add("no-room");
    }
    this.#pings.sent();
    this.#tally.add("ping-sent");
  }

  #datagram(targetMac: Uint8Array, out: Outbox): void {
    const payload = this.#datagrams.draw();
    const sequence = this.#datagrams.sequence;
    if (!this.#frames.datagram(targetMac, sequence, payload, out)) {
      return this.#tally.add("no-room");
    }
    this.#datagrams.sent();
    this.#tally.add("udp-sent");
  }

  #maybeNoise(targetMac: Uint8Array, out: Outbox): void {
    if (!this.#random.chance(this.#noiseShare)) return;
    const sent = this.#frames.noise(targetMac, this.#random, out);
    this.#tally.add(sent ? "noise-sent" : "no-room");
  }
}

function checkRange(
  name: string,
  value: number,
  low: number,
  high: number,
): void {
  if (value >= low && value <= high) return;
  throw new RangeError(
    `peer: ${name} is ${value}; it must be from ${low} to ${high}`,
  );
}
