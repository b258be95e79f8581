/**
 * Where a tunnel's peer is, and when it was heard of last. It is known by its
 * key: an address that is translated on the way (NAT) or that changes is taken
 * from the newest frame that its key has sealed, as WireGuard does.
 */

import { Notices } from "../kit/notices.ts";
import {
  formatSocketAddress,
  type SocketAddress,
} from "../../caps/driver/socket_address.ts";
import { Allowance } from "./allowance.ts";
import { type Bytes, readDatagram } from "./datagram.ts";

/** How long nobody may answer before that is said. */
const UNHEARD_MS = 5000;

/** Datagrams from elsewhere than the peer that are looked into. */
const STRANGERS_PER_SECOND = 50;
const STRANGERS_BURST = 64;

/** How many keepalives may be missed before that is said. */
const MISSED_MAX = 4;

/** How a peer is watched. */
export interface PeerOptions {
  /** Where it is at first. */
  readonly address: SocketAddress;
  /** How often it sends something, in milliseconds. */
  readonly keepaliveMs: number;
  readonly nowMs: () => number;
}

/** One end's peer. */
export class Peer {
  readonly #options: PeerOptions;
  readonly #notices = new Notices();
  readonly #sinceMs: number;
  readonly #strangers: Allowance;
  #address: SocketAddress;
  #heardMs: number | undefined;
  #moves = 0;
  /** Datagrams that another key has sealed. */
  #badKeys = 0;

  constructor(options: PeerOptions) {
    this.#options = options;
    this.#address = options.address;
    this.#sinceMs = options.nowMs();
    this.#strangers = new Allowance(
      STRANGERS_PER_SECOND,
      STRANGERS_BURST,
      options.nowMs,
    );
  }

  /** Where to send to. */
  get address(): SocketAddress {
    return this.#address;
  }

  /** How often it was found at another address. */
  get moves(): number {
    return this.#moves;
  }

  /** Notes that something arrived that nobody else can have sent, now or before. */
  heard(): void {
    this.#heardMs = this.#options.nowMs();
    this.#notices.say("silent", undefined);
  }

  /** Takes the address that the newest of its frames came from. */
  isNowAt(address: SocketAddress): void {
    if (this.#isAt(address)) return;
    this.#address = address;
    this.#moves++;
  }

  /**
   * Whether a datagram from `from` is to be looked into: what comes from where
   * the peer is, and of the rest a little that looks like the peer's.
   */
  mayBeAt(from: SocketAddress, bytes: Bytes): boolean {
    return this.#isAt(from) ||
      readDatagram(bytes) !== undefined && this.#strangers.take();
  }

  /** Takes note of what the key has not sealed. @returns whether it came from where the peer is. */
  isBadKeyOf(from: SocketAddress): boolean {
    if (!this.#isAt(from)) return false;
    this.#badKeys++;
    return true;
  }

  /** Lines about the peer for whoever runs the system. */
  takeNotices(): readonly string[] {
    const { nowMs, keepaliveMs } = this.#options;
    const silentMs = nowMs() - (this.#heardMs ?? this.#sinceMs);
    const where = formatSocketAddress(this.#address);
    if (this.#heardMs === undefined && silentMs >= UNHEARD_MS) {
      this.#notices.say(
        "silent",
        `udp: nobody answers at ${where}${
          this.#badKeys > 0 ? " with this key" : ""
        }; is the other end running, with the same key, and may datagrams pass both ways?`,
      );
    } else if (
      this.#heardMs !== undefined && silentMs >= MISSED_MAX * keepaliveMs
    ) {
      this.#notices.say(
        "silent",
        `udp: the other end, last at ${where}, has said nothing for some time; is it still running?`,
      );
    }
    return this.#notices.take();
  }

  #isAt({ hostname, port }: SocketAddress): boolean {
    return hostname === this.#address.hostname && port === this.#address.port;
  }
}
