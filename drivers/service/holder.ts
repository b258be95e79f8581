/** A holder, as the driver sees it: one port, one protection domain, byte strings, and what was refused of it. */

import { Tally } from "../../caps/driver/accounts.ts";
import { type HolderLimits, PLAIN_LIMITS } from "../../caps/driver/messages.ts";
import type { PortId } from "../../caps/kernel/kernel.ts";
import { makePipe, type Port } from "../../caps/port/port.ts";
import {
  type Delivery,
  IN_FLIGHT_MAX,
  postRecords,
  STRING_BYTES,
  STRINGS_PER_HOLDER,
} from "../../caps/port/records.ts";
import type { TrustedRings } from "../../caps/port/trusted_ring.ts";
import { DirectCall } from "./direct_call.ts";
import { OpenString } from "./open_string.ts";
import { Penalty } from "./penalty.ts";
import { TrustedRingPair } from "./trusted_rings.ts";

/** Messages taken from one holder in one turn: more than one who keeps to the protocol can have under way. */
export const MESSAGES_PER_TURN: number = 2 * IN_FLIGHT_MAX;

/** Refused messages after which a holder is cut off. */
export const STRIKES_MAX = 4096;

/** Who is at the other end of one port. */
export class Holder {
  readonly id: PortId;
  /** Sends deliveries, or rings; what comes in is checked before it is believed. */
  readonly port: Port<Delivery | null, unknown>;
  readonly limits: HolderLimits;
  /** The rings of one that is trusted with packet memory. */
  readonly trusted: TrustedRingPair | undefined;
  /** How one is called whose code runs in this thread: it has no port. */
  readonly direct: DirectCall | undefined;
  /** Byte strings that are here, ready to be filled. */
  readonly strings: ArrayBuffer[] = [];
  /** Messages that were refused, and parts of some, by reason. */
  readonly refusals: Tally = new Tally();
  /** The pauses that void tags cost. */
  readonly penalty: Penalty = new Penalty();
  /** The byte string that is being filled, if one is. */
  readonly open: OpenString = new OpenString();
  /** True once more messages were under way than there are byte strings for. */
  flooded = false;
  /** Void tags that were presented. */
  voids = 0;
  #strikes = 0;
  /** Byte strings of the holder's own that are to go back to it: enough of the driver's are here. */
  #surplus: Delivery[] = [];
  /** Void tags that may still be presented without a pause. */
  #excused = 0;

  /** Without a port: its code is called in this thread. */
  static called(id: PortId): Holder {
    const [port, other] = makePipe<Delivery | null, unknown>();
    other[Symbol.dispose]();
    return new Holder(id, port, {}, undefined, new DirectCall());
  }

  constructor(
    id: PortId,
    port: Port<Delivery | null, unknown>,
    limits: Partial<HolderLimits>,
    rings?: TrustedRings,
    direct?: DirectCall,
  ) {
    this.trusted = rings === undefined ? undefined : new TrustedRingPair(rings);
    this.direct = direct;
    this.id = id;
    this.port = port;
    this.limits = { ...PLAIN_LIMITS, runPagesMax: 1, ...limits };
    if (direct !== undefined) return;
    for (let i = 0; i < STRINGS_PER_HOLDER; i++) {
      this.strings.push(new ArrayBuffer(STRING_BYTES));
    }
  }

  /** Whether the holder has given back every byte string. */
  get hasAnswered(): boolean {
    return this.direct !== undefined ||
      this.strings.length >= STRINGS_PER_HOLDER;
  }

  /** Counts a message, or a part of one, that was refused. */
  strike(reason: string, strikes = 1): void {
    this.#strikes += strikes;
    this.refusals.add(reason);
  }

  /**
   * Excuses as many more void tags as the holder may have messages under way now:
   * one of its capabilities was revoked, which each of them may name, and what was
   * sent under that tag comes back through no fault of its own. Each is counted,
   * and costs nothing.
   */
  excuse(): void {
    this.#excused += this.limits.inFlightMax + (this.trusted?.out ?? 0);
  }

  /**
   * Counts a tag that is void on the holder's port. Nothing here depends on
   * whether the tag is somebody else's, was once the holder's, or never was.
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

  /** Whether so much was refused that the holder is to be cut off. */
  get tooManyStrikes(): boolean {
    return this.#strikes >= STRIKES_MAX;
  }

  /** Whether the last byte string here is being filled while the holder has not given back others. */
  get behind(): boolean {
    return this.strings.length === 0 && this.open.begun;
  }

  /**
   * Takes a byte string back: for the next delivery, or, when there are enough,
   * to go to its sender with {@link returnSurplus}.
   */
  returnString(string: ArrayBuffer): void {
    if (this.strings.length < STRINGS_PER_HOLDER) {
      this.strings.push(string);
    } else {
      this.#surplus.push({
        capabilities: [],
        records: string,
        count: 0,
        pages: [],
      });
    }
  }

  /**
   * Sends the holder's own byte strings back. Until then none is sent: so however
   * quick it is, it cannot have had one of them to send again.
   */
  returnSurplus(): void {
    if (this.#surplus.length === 0) return;
    for (const one of this.#surplus) postRecords(this.port, one);
    this.#surplus = [];
  }
}
