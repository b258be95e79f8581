/**
 * The two parties of a delivery: a holder (one port, one protection domain) and
 * its accounts (one a capability).
 */

import { Tally } from "../../caps/driver/accounts.ts";
import { type HolderLimits, PLAIN_LIMITS } from "../../caps/driver/messages.ts";
import type { PortId } from "../../caps/kernel/kernel.ts";
import type { Port } from "../../caps/port/port.ts";
import {
  type Delivery,
  STRING_BYTES,
  STRINGS_PER_HOLDER,
} from "../../caps/port/records.ts";
import type { TrustedRings } from "../../caps/port/trusted_ring.ts";
import { Penalty } from "./penalty.ts";
import { TrustedRingPair } from "./trusted_rings.ts";

/** Messages taken from one holder in one turn. */
export const MESSAGES_PER_TURN = 32;

/** Refused messages after which a holder is cut off. */
export const STRIKES_MAX = 4096;

/** One port's other side, as the driver sees it. */
export class Holder {
  readonly id: PortId;
  /** Sends deliveries, or rings; what comes in is checked before it is believed. */
  readonly port: Port<Delivery | null, unknown>;
  readonly limits: HolderLimits;
  /** The rings of one that is trusted with packet memory. */
  readonly trusted: TrustedRingPair | undefined;
  /** Byte strings that are here, ready to be filled. */
  readonly strings: ArrayBuffer[] = [];
  /** Its messages that were refused, by reason. */
  readonly refusals: Tally = new Tally();
  /** How long it waits for having presented void tags. */
  readonly penalty: Penalty = new Penalty();
  /** Byte strings that are being filled. */
  begunStrings = 0;
  /** Whether it had more messages under way than it has byte strings for. */
  flooded = false;
  /** Void tags that it presented. */
  voids = 0;
  #strikes = 0;
  /** On their way to a holder that has enough of the driver's: its own. */
  #homeward: Delivery[] = [];
  /** Void tags that it may present still without being slowed down. */
  #excused = 0;

  constructor(
    id: PortId,
    port: Port<Delivery | null, unknown>,
    limits: Partial<HolderLimits>,
    rings?: TrustedRings,
  ) {
    this.trusted = rings === undefined ? undefined : new TrustedRingPair(rings);
    this.id = id;
    this.port = port;
    this.limits = { ...PLAIN_LIMITS, runPagesMax: 1, ...limits };
    for (let i = 0; i < STRINGS_PER_HOLDER; i++) {
      this.strings.push(new ArrayBuffer(STRING_BYTES));
    }
  }

  /** Counts a message, or a part of one, that was refused. */
  strike(reason: string, strikes = 1): void {
    this.#strikes += strikes;
    this.refusals.add(reason);
  }

  /**
   * A capability of its is over: what it has of the driver's may come back under
   * that tag, through no fault of its own. It is counted, and costs nothing.
   */
  excuse(): void {
    this.#excused = 2 * STRINGS_PER_HOLDER;
  }

  /**
   * It presented a tag that is void on its port. Nothing here depends on whether
   * the tag is somebody else's, was once its own, or never was.
   */
  strikeVoid(): void {
    if (this.#excused > 0) {
      this.#excused--;
      this.refusals.add("void-capability");
      return;
    }
    this.voids++;
    this.strike("void-capability");
  }

  /** Whether it has been refused so often that it is to be cut off. */
  get outlawed(): boolean {
    return this.#strikes >= STRIKES_MAX;
  }

  /** Whether its last byte string is being filled while others of its are out. */
  get behind(): boolean {
    return this.strings.length === 0 && this.begunStrings < STRINGS_PER_HOLDER;
  }

  /**
   * Takes a byte string back: for the next delivery, or, when there are enough,
   * to go to its sender with {@link sendHome}.
   */
  returnString(string: ArrayBuffer, capability: bigint): void {
    if (this.strings.length < STRINGS_PER_HOLDER) {
      this.strings.push(string);
    } else {
      this.#homeward.push({ capability, records: string, count: 0, pages: [] });
    }
  }

  /**
   * Sends the holder's own byte strings home. Until then nothing is: so however
   * quick it is, it cannot have had one of them to send again.
   */
  sendHome(): void {
    if (this.#homeward.length === 0) return;
    for (const home of this.#homeward) this.port.post(home, [home.records]);
    this.#homeward = [];
  }
}
