/**
 * An end of a wire whose other end lies beyond a UDP socket:
 *
 * ```
 *   driver ─ near ═ far ─► seal ─► send ───► peer
 *                   far ◄─ open ◄─ receive ◄ peer
 * ```
 *
 * The driver has the near end of an in-memory wire, whose queues are bounded;
 * here is what pumps at the far end. WebCrypto is asynchronous: up to
 * {@link IN_FLIGHT_MAX} datagrams are under way each direction, and they end in
 * the order in which they began.
 */

import type { Counts } from "../../caps/driver/accounts.ts";
import { makeWire, type WireEnd } from "../emulated/wire.ts";
import { Allowance } from "./allowance.ts";
import {
  type Bytes,
  type Datagram,
  OVERHEAD_BYTES,
  readDatagram,
} from "./datagram.ts";
import { type FrameRefusal, type Opening, TunnelReceiver } from "./receiver.ts";
import type { Secret } from "./secret.ts";
import { TunnelSender } from "./sender.ts";
import { Peer } from "./peer.ts";
import type { SocketAddress } from "../../caps/driver/socket_address.ts";
import type { DatagramSocket } from "./socket.ts";

type SealedDatagram = Extract<Datagram, { kind: "frame" | "keepalive" }>;

/** What a tunnel's end is made of. */
export interface TunnelOptions {
  /** The end owns it from now on. */
  readonly socket: DatagramSocket;
  /** What both ends know; a link's own. */
  readonly secret: Secret;
  /** Frames that may wait each way; a power of two, 512 by default. */
  readonly queueFrames?: number;
  /** When a request is made again for the first time, in milliseconds; 250 by default. */
  readonly retryMs?: number;
  /** Frames under one key; see sender.ts. */
  readonly rekeyFrames?: number;
  /**
   * How often something is sent at least, in milliseconds; 15,000 by default:
   * what translates addresses on the way forgets after 30 s (RFC 4787, REQ-5).
   */
  readonly keepaliveMs?: number;
}

/** An Ethernet frame of 1,500 bytes with its header and two VLAN tags. */
export const FRAME_BYTES_MAX: number = 1500 + 14 + 8;
/** An Ethernet header. */
const FRAME_BYTES_MIN = 14;
/** Datagrams under way in WebCrypto, each direction. */
const IN_FLIGHT_MAX = 32;
/** The longest time from one request to the next, and the shortest between two sessions. */
const RETRY_MS_MAX = 2000;
/** Handshakes and frames of unknown sessions that are looked into: 500 a second cost a few hundredths of a core. */
const UNPROVEN_PER_SECOND = 500;
const UNPROVEN_BURST = 64;
const KEEPALIVE_MS = 15_000;
/** Offers without a request, a second. */
const REMINDERS_PER_SECOND = 4;

/** Opens an end of a tunnel, and begins to ask for the other one. */
export function openTunnel(options: TunnelOptions): TunnelEnd {
  return new TunnelEnd(options);
}

/** An end of a tunnel; {@link openTunnel} makes one. */
export class TunnelEnd implements WireEnd {
  readonly frameBytesMax: number = FRAME_BYTES_MAX;
  readonly holds = false;
  readonly #socket: DatagramSocket;
  readonly #secret: Secret;
  readonly #near: WireEnd;
  readonly #far: WireEnd;
  readonly #sender: TunnelSender;
  readonly #receiver: TunnelReceiver;
  readonly #unproven: Allowance;
  readonly #reminders: Allowance;
  readonly #peer: Peer;
  readonly #keepaliveTimer: ReturnType<typeof setInterval>;
  /** Whether anything was sealed since the last keepalive was due. */
  #sentSince = false;
  readonly #retryMs: number;
  #retryTimer: ReturnType<typeof setTimeout> | undefined;
  #requestedMs = -Infinity;
  #transmitting = false;
  #closed = false;
  #failure: string | undefined;
  /** Datagrams that are being opened, in order. */
  readonly #opening: Promise<void>[] = [];
  readonly #counts = {
    "rx-garbage": 0,
    "rx-stranger": 0,
    "rx-bad-key": 0,
    "rx-replayed": 0,
    "rx-unproven": 0,
    "rx-too-large": 0,
    "rx-too-short": 0,
    "rx-dropped": 0,
    "keepalives": 0,
    "tx-dropped": 0,
    "tx-failed": 0,
    "sessions": 0,
    "stale-offers": 0,
  };

  constructor(options: TunnelOptions) {
    const { socket, secret, queueFrames = 512 } = options;
    const { keepaliveMs = KEEPALIVE_MS } = options;
    const nowMs = () => performance.now();
    this.#socket = socket;
    this.#secret = secret;
    this.#retryMs = options.retryMs ?? 250;
    [this.#near, this.#far] = makeWire({
      frameBytesMax: FRAME_BYTES_MAX,
      queueFrames,
    });
    this.#unproven = new Allowance(UNPROVEN_PER_SECOND, UNPROVEN_BURST, nowMs);
    this.#reminders = new Allowance(
      REMINDERS_PER_SECOND,
      REMINDERS_PER_SECOND,
      nowMs,
    );
    this.#peer = new Peer({ address: socket.peer, keepaliveMs, nowMs });
    this.#keepaliveTimer = setInterval(
      () => void this.#keepAlive(),
      keepaliveMs,
    );
    this.#sender = new TunnelSender(secret, options.rekeyFrames);
    this.#receiver = new TunnelReceiver(secret, this.#unproven);
    this.#far.onArrival(() => void this.#transmit());
    void this.#receive();
    void this.#ask(this.#retryMs);
  }

  /** What the socket said when it came to its end, if that was not our doing. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** Lines about the peer for whoever runs the system. */
  takeNotices(): readonly string[] {
    return this.#closed ? [] : this.#peer.takeNotices();
  }

  /** Whether frames can be sent: the peer has answered. */
  get established(): boolean {
    return this.#sender.ready;
  }

  get ended(): boolean {
    return this.#near.ended;
  }

  send(bytes: Uint8Array, start: number, length: number): boolean {
    return this.#near.send(bytes, start, length);
  }

  flush(): void {}

  peek(): number {
    return this.#near.peek();
  }

  receive(into: Uint8Array | undefined, start: number): number {
    return this.#near.receive(into, start);
  }

  dueMs(): number {
    return Infinity;
  }

  onArrival(notify: () => void): void {
    this.#near.onArrival(notify);
  }

  counters(): Counts {
    const moves = { "peer-moves": this.#peer.moves };
    return { ...this.#near.counters(), ...this.#counts, ...moves };
  }

  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#close();
    this.#near[Symbol.dispose]();
  }

  #close(): void {
    this.#closed = true;
    clearTimeout(this.#retryTimer);
    clearInterval(this.#keepaliveTimer);
    this.#socket[Symbol.dispose]();
  }

  /** Takes the link down when the socket fails: what has arrived can still be read. */
  #fail(error: unknown): void {
    if (this.#closed) return;
    this.#failure = `the socket failed: ${
      error instanceof Error ? error.message : String(error)
    }`;
    this.#close();
    this.#far[Symbol.dispose]();
  }

  /** Asks for a session until there is one, at growing distances. */
  async #ask(retryMs: number): Promise<void> {
    clearTimeout(this.#retryTimer);
    this.#retryTimer = undefined;
    if (this.#closed || !this.#sender.wants) return;
    this.#requestedMs = performance.now();
    this.#retryTimer = setTimeout(() => {
      // Nobody answers: what waits for them grows old.
      if (!this.#sender.ready) this.#dropWaiting();
      void this.#ask(Math.min(2 * retryMs, RETRY_MS_MAX));
    }, retryMs);
    await this.#post(await this.#sender.request());
  }

  /** Asks for another session, but not at once after the last request, whoever wants it. */
  #askSoon(): void {
    const earliest = this.#requestedMs + 4 * this.#retryMs;
    const delayMs = Math.max(0, earliest - performance.now());
    clearTimeout(this.#retryTimer);
    this.#retryTimer = setTimeout(() => {
      this.#sender.begin();
      void this.#ask(this.#retryMs);
    }, delayMs);
  }

  #dropWaiting(): void {
    while (this.#far.peek() > 0) {
      this.#far.receive(undefined, 0);
      this.#counts["tx-dropped"]++;
    }
  }

  /** Shows the peer, and what translates addresses on the way, that this end is there. */
  async #keepAlive(): Promise<void> {
    const idle = !this.#sentSince;
    this.#sentSince = false;
    if (!idle || !this.#sender.ready) return;
    await this.#post(await this.#sender.sealKeepalive());
  }

  async #post(datagram: Bytes, to = this.#peer.address): Promise<boolean> {
    if (this.#closed) return false;
    try {
      await this.#socket.send(datagram, to);
      return true;
    } catch {
      return false; // unreachable now; perhaps not always
    }
  }

  /** Sends what waits, in order, as long as there is a session. */
  async #transmit(): Promise<void> {
    if (this.#transmitting) return;
    this.#transmitting = true;
    while (!this.#closed && this.#sender.ready && this.#far.peek() > 0) {
      const sealing: Promise<Bytes>[] = [];
      while (
        sealing.length < IN_FLIGHT_MAX && this.#sender.ready &&
        this.#far.peek() > 0
      ) {
        const frame = new Uint8Array(this.#far.peek());
        this.#far.receive(frame, 0);
        sealing.push(this.#sender.seal(frame));
      }
      this.#sentSince = true;
      for (const datagram of await Promise.all(sealing)) {
        if (!await this.#post(datagram)) this.#counts["tx-failed"]++;
      }
      if (this.#sender.wants && this.#retryTimer === undefined) this.#askSoon();
    }
    this.#transmitting = false;
  }

  /** Receives until the socket is closed. */
  async #receive(): Promise<void> {
    // One byte more than any of ours: what fills it is too large.
    const into = new Uint8Array(FRAME_BYTES_MAX + OVERHEAD_BYTES + 1);
    try {
      for (;;) {
        const received = await this.#socket.receive(into);
        if (received === undefined) return;
        const { bytes, from } = received;
        if (!this.#peer.mayBeAt(from, bytes)) this.#counts["rx-stranger"]++;
        else if (bytes.length === into.length) {
          this.#counts["rx-too-large"]++;
        } else await this.#take(bytes.slice(), from);
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Takes one datagram in; resolves when the next may come. */
  async #take(bytes: Bytes, from: SocketAddress): Promise<void> {
    const datagram = readDatagram(bytes);
    if (datagram === undefined) this.#counts["rx-garbage"]++;
    else if ("sealed" in datagram) {
      if (!this.#sender.isOurs(datagram.session)) {
        await this.#open(datagram, from);
      } else if (datagram.kind === "frame") {
        this.#counts["rx-replayed"]++; // one of our own, sent back to us
      }
    } else if (!this.#unproven.take()) this.#counts["rx-unproven"]++;
    else if (!await this.#secret.verify(bytes)) this.#badKey(from);
    else if (datagram.kind === "request") {
      await this.#answer(datagram.session, from);
    } else await this.#accept(datagram);
  }

  /** Counts what the key does not prove: a stranger's, or the peer's with another key. */
  #badKey(from: SocketAddress): void {
    const isPeer = this.#peer.isBadKeyOf(from);
    this.#counts[isPeer ? "rx-bad-key" : "rx-stranger"]++;
  }

  /** A request may be an old one that somebody has kept: the offer goes where it came from, and nothing else does yet. */
  async #answer(session: Bytes, from: SocketAddress): Promise<void> {
    // The peer has its offer, or the request is our own, sent back to us.
    if (this.#receiver.isCurrent(session) || this.#sender.isOurs(session)) {
      return;
    }
    await this.#post(await this.#receiver.offer(session), from);
  }

  async #accept(
    { session, challenge }: Extract<Datagram, { kind: "offer" }>,
  ): Promise<void> {
    const outcome = await this.#sender.take(session, challenge);
    if (outcome === "established") {
      this.#counts.sessions++;
      this.#peer.heard();
      clearTimeout(this.#retryTimer);
      this.#retryTimer = undefined;
      // The peer may not know yet where this end is.
      void this.#keepAlive();
      void this.#transmit();
    } else if (outcome === "stale") this.#counts["stale-offers"]++;
    else this.#askSoon();
  }

  /** Opens a frame; resolves when the next datagram may come. */
  async #open(datagram: SealedDatagram, from: SocketAddress): Promise<void> {
    const opening = this.#receiver.open(datagram);
    if (typeof opening === "string") return this.#refuse(opening);
    this.#opening.push(
      this.#finish(opening, datagram, from, this.#opening.at(-1)),
    );
    if (this.#opening.length >= IN_FLIGHT_MAX) await this.#opening.shift();
  }

  /** Decides on a frame when the one `before` it is decided on. */
  async #finish(
    opening: Opening,
    { kind, session }: SealedDatagram,
    from: SocketAddress,
    before: Promise<void> | undefined,
  ): Promise<void> {
    const frame = await opening.frame;
    await before;
    if (this.#closed) return;
    if (frame === undefined) return await this.#doubt(session, from);
    const outcome = this.#receiver.commit(opening);
    if (outcome !== "received") return this.#refuse(outcome);
    this.#peer.heard();
    if (this.#receiver.newest) this.#peer.isNowAt(from);
    if (kind === "keepalive") this.#counts.keepalives++;
    else this.#deliver(frame);
  }

  #deliver(frame: Bytes): void {
    if (frame.length < FRAME_BYTES_MIN) this.#counts["rx-too-short"]++;
    else if (!this.#far.send(frame, 0, frame.length)) {
      this.#counts["rx-dropped"]++;
    }
  }

  #refuse(reason: FrameRefusal): void {
    this.#counts[`rx-${reason}`]++;
  }

  /**
   * Counts a frame that does not open: forged, or the peer's for an earlier life of
   * ours. An offer tells it so, if it is the peer; it proves nothing and asks nothing.
   */
  async #doubt(session: Bytes, from: SocketAddress): Promise<void> {
    this.#badKey(from);
    if (this.#receiver.isCurrent(session) || !this.#reminders.take()) return;
    await this.#post(await this.#receiver.offer(session), from);
  }
}
