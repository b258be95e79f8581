/**
 * The reference: what capabilities mean, said as plainly as possible. A frame
 * is a number, a grant a set of numbers, a tag a place in a list. Nothing here
 * is quick, shares a line with the system, or knows how that does it; whatever
 * it does must come to the same.
 */

import {
  type Cap,
  count,
  type Counted,
  type Delegated,
  type Delivered,
  type Ending,
  type FrameFacts,
  isAsked,
  isObserver,
  type Limits,
  type Outgoing,
  type Page,
  type Right,
  type Sending,
  type Submitted,
  type Wanted,
} from "./terms.ts";

/** Holders, capabilities and pages of one NIC. */
export class ReferenceModel {
  /** All capabilities that ever were; the first is the root. */
  readonly caps: Cap[] = [];
  /** What was refused, by port and reason; a port that is not here is closed. */
  readonly refused: Map<number, Counted> = new Map();
  /** What holders should have got. */
  readonly delivered: Delivered[] = [];
  /** What should have gone out. */
  readonly sent: Outgoing[] = [];
  /** All pages that ever were out. */
  readonly pages: Page[] = [];
  /** How many frames were unclaimed. */
  unclaimed = 0;
  /** How many frames arrived that were longer than the MTU says. */
  tooLarge = 0;
  /** Bytes of the longest frame, by the MTU. */
  wireBytesMax: number;
  /** Whether the NIC keeps what it is given to send. */
  stalled = false;
  /** Ticks since the beginning. */
  now = 0;
  /** Capabilities that have ended, of which the driver has not said that all their pages are back. */
  #draining: Cap[] = [];
  /** Whether the driver has no time to say so. */
  #busy = false;

  /** A NIC whose root capability is in the table of port 0. */
  constructor(
    root: Wanted,
    readonly frames: FrameFacts,
    readonly limits: Limits,
  ) {
    this.refused.set(0, {});
    this.wireBytesMax = limits.wireBytesMax;
    this.#make(0, undefined, root);
  }

  /** What a tag means on a port. */
  present(port: number, tag: number): Cap | undefined {
    const cap = this.caps[tag];
    return cap?.live && cap.to === port ? cap : undefined;
  }

  /** A narrower capability, or why not. */
  derive(port: number, tag: number, wanted: Wanted): Cap | string {
    const needed: Right[] = ["derive"];
    if (wanted.to !== port) needed.push("delegate");
    return this.#mint(port, this.present(port, tag), wanted, needed);
  }

  /** Delegates to another holder; why not, in words, where that is refused. */
  delegate(port: number, tag: number, wanted: Delegated): Cap | string {
    const cap = this.present(port, tag);
    const { grant, rights } = cap ?? this.caps[0]!;
    const quotaPages = cap === undefined ? 0 : this.left(cap);
    const same = { grant, rights, quotaPages, ...wanted };
    return this.#mint(port, cap, same, ["delegate"]);
  }

  #mint(port: number, from: Cap | undefined, wanted: Wanted, needed: Right[]) {
    const why = this.#whyNot(port, from, wanted, needed);
    return why ? this.refuse(port, why) : this.#make(port, from, wanted);
  }

  #whyNot(
    port: number,
    parent: Cap | undefined,
    wanted: Wanted,
    needed: Right[],
  ) {
    const { to, rights, grant, residual, quotaPages, lifetime = 1 } = wanted;
    if (!this.refused.has(to) || lifetime <= 0) return "invalid";
    if (parent === undefined) return "void";
    if (!needed.every((right) => parent.rights.has(right))) return "right";
    if (quotaPages < 0) return "invalid";
    if (!rights.isSubsetOf(parent.rights)) return "right";
    if (parent.closed) return "closed";
    if (parent.residual !== undefined) return "residual";
    if (quotaPages > this.left(parent)) return "quota";
    if (parent.depth >= this.limits.depth) return "depth";
    const taken = this.caps.filter((cap) => this.#isTaken(cap));
    const { capabilities, kept } = this.limits;
    const free = capabilities - taken.length - (port === 0 ? 0 : kept);
    if (free <= 0) return "full";
    const own = taken.filter(({ maker }) => maker === port).length;
    if (port !== 0 && own >= free) return "share";
    if (isObserver(wanted)) {
      return rights.has("send") || residual ? "invalid" : undefined;
    }
    const owners = this.#below(parent).filter((cap) => !isObserver(cap));
    const overlaps = owners.some((cap) => !cap.grant.isDisjointFrom(grant));
    return overlaps ? "overlap" : undefined;
  }

  /** `close`: nothing more is derived. `revoke`: what was, ends. `drop`: it ends, too. */
  end(op: Ending, port: number, tag: number): string | undefined {
    const cap = this.present(port, tag);
    if (cap === undefined) return this.refuse(port, "void");
    if (op === "drop" && tag === 0) return this.refuse(port, "right");
    if (op === "close") cap.closed = true;
    else this.#end(op === "drop" ? [cap] : this.#below(cap));
    return undefined;
  }

  /** Time goes on. */
  elapse(time: number): void {
    this.now += time;
    this.#end(this.caps.filter((cap) => cap.endsAt <= this.now));
  }

  /** Terminates a holder, which may still be writing to its pages. */
  crash(port: number): void {
    this.refused.delete(port);
    this.#end(this.caps.filter((cap) => cap.to === port));
    this.#move("lent", "quarantined", (page) => page.cap.to === port);
  }

  /** A frame arrives. */
  receive(frame: number): void {
    const { framePages } = this.limits;
    const bytes = this.frames.bytesOf(frame);
    const offload = this.frames.offloadOf(frame);
    // A super-packet is not on a wire as it is.
    if (bytes > this.wireBytesMax && !offload?.segmentBytes) {
      this.tooLarge++;
      return;
    }
    const live = this.caps.filter((cap) => cap.live && cap.packets.has(frame));
    const give = ({ id: cap }: Cap, page?: number) =>
      this.delivered.push({ cap, frame, page, offload });
    for (const cap of live.filter(isObserver)) give(cap);
    const owner = live.filter((cap) => cap.rights.has("receive") && cap.depth)
      .filter((cap) => cap.residual?.has(frame) ?? true)
      .sort((a, b) => b.depth - a.depth)[0];
    if (owner === undefined) this.unclaimed++;
    else if (bytes <= owner.copyBytesMax) give(owner);
    else if (!this.#mayHold(owner, framePages)) count(owner.drops, "no-page");
    else give(owner, this.#take(owner, "lent", framePages));
  }

  /** A message to the driver: pages back, and frames to send under `tag`. */
  submit(port: number, tag: number, records: readonly Submitted[]): void {
    const sender = this.present(port, tag);
    if (sender === undefined) this.refuse(port, "void-capability");
    // What was carved out for these is given back after the message at the soonest.
    this.#draining.push(
      ...this.caps.filter((cap) => !cap.live && this.held(cap) > 0),
    );
    const staged: Sending[] = [];
    let pages = 0;
    for (const record of records) {
      if (record.kind === "unreadable") {
        this.refuse(port, "malformed-record");
        break;
      }
      const lent = this.pages[record.page ?? -1];
      const its = lent?.state === "lent" && lent.cap.to === port;
      if (its) lent.state = "free";
      if (record.kind === "forge" || (lent !== undefined && !its)) {
        this.refuse(port, "forged-page");
      } else if (sender === undefined) continue;
      else if (record.kind === "return") continue;
      else if (!sender.rights.has("send")) count(sender.drops, "send-no-right");
      else if (record.kind === "short") count(sender.drops, "send-too-short");
      else if (
        record.kind !== "send" ||
        (this.frames.bytesOf(record.frame) > this.wireBytesMax &&
          !record.offload?.segmentBytes)
      ) count(sender.drops, "send-too-large");
      else if (this.#mayHold(sender, pages + this.#sizeOf(record))) {
        staged.push(record);
        pages += this.#sizeOf(record);
      } else count(sender.drops, "send-no-page");
    }
    for (const record of staged) {
      pages -= this.#sizeOf(record);
      this.#send(sender!, record, pages);
    }
    this.stall(this.stalled);
    this.busy(this.#busy);
  }

  /** Sends one frame, if its sender may, while others of it with so many pages wait. */
  #send(sender: Cap, record: Sending, waitingPages: number): void {
    const { frame, offload } = record;
    const drop = (why: string, more = 1) => count(sender.drops, why, more);
    const out = (one: Omit<Outgoing, "record">, pages: number) => {
      this.#take(sender, "in flight", pages);
      this.sent.push({ record, ...one });
    };
    const pages = this.#sizeOf(record);
    if (!sender.sends.has(frame)) return drop("send-not-permitted");
    if (!isAsked(offload)) return out({ completed: false }, pages);
    const payload = this.frames.payloadOf(frame);
    if (payload === undefined) return drop("send-not-completable");
    const { segmentBytes } = offload;
    const bytes = this.frames.bytesOf(frame);
    const { offloads, nicSegments, segments, pageRoomBytes } = this.limits;
    if (segmentBytes === 0 || payload <= segmentBytes) {
      if (bytes > this.wireBytesMax) return drop("send-too-large");
      const told = offloads ? { segmentBytes: 0 } : {};
      return out({ completed: !offloads, ...told }, pages);
    }
    const parts = Math.ceil(payload / segmentBytes);
    const whole = offloads && parts <= nicSegments;
    const most = whole ? Infinity : pageRoomBytes;
    const longest = bytes - payload + segmentBytes;
    if (longest > Math.min(this.wireBytesMax, most)) {
      return drop("send-too-large");
    }
    if (parts > segments) return drop("send-too-many-segments");
    if (whole) return out({ completed: false, segmentBytes }, pages);
    for (let index = 0; index < parts; index++) {
      if (!this.#mayHold(sender, waitingPages + 1)) {
        return drop("send-no-page", parts - index);
      }
      const from = index * segmentBytes;
      const to = Math.min(from + segmentBytes, payload);
      out({ completed: true, segment: { index, from, to } }, 1);
    }
  }

  /** The driver has, or does not have, time to say which capabilities have all their pages back. */
  busy(busy: boolean): void {
    this.#busy = busy;
    if (!busy) this.#draining = [];
  }

  /** The NIC keeps what it is given, or has sent all of it. */
  stall(stalled: boolean): void {
    this.stalled = stalled;
    if (!stalled) this.#move("in flight", "free");
  }

  /** What of a quota is not carved out for others that live, or have pages out. */
  left(cap: Cap): number {
    const carved = (from: Cap): number =>
      this.caps.filter((one) => one.parent === from)
        .map((one) => this.#isTaken(one) ? one.quotaPages : carved(one))
        .reduce((sum, pages) => sum + pages, 0);
    return cap.quotaPages - carved(cap);
  }

  #move(from: Page["state"], to: Page["state"], is = (_: Page) => true): void {
    const found = this.pages.filter((page) => page.state === from && is(page));
    for (const page of found) page.state = to;
  }

  /** How many pages are out on its account. */
  held(cap: Cap): number {
    return this.pages.filter((page) => page.cap === cap)
      .filter((page) => page.state !== "free")
      .reduce((sum, { size }) => sum + size, 0);
  }

  /** The pages that a frame to be sent takes. */
  #sizeOf({ frame, page }: Sending): number {
    const { framePages, pageRoomBytes } = this.limits;
    if (page !== undefined) return this.pages[page]!.size;
    return this.frames.bytesOf(frame) > pageRoomBytes ? framePages : 1;
  }

  /** So many pages more; none that an ancestor has still to give up. */
  #mayHold(cap: Cap, more: number): boolean {
    const settled = (up?: Cap): boolean =>
      !up || (this.held(up) <= this.left(up) && settled(up.parent));
    return this.held(cap) + more <= this.left(cap) && settled(cap.parent);
  }

  #isTaken(cap: Cap): boolean {
    return cap.live || this.held(cap) > 0 || this.#draining.includes(cap);
  }

  #below(cap: Cap): Cap[] {
    return this.caps.filter((one) => one.live && one.parent === cap);
  }

  #make(maker: number, parent: Cap | undefined, wanted: Wanted): Cap {
    const { grant, sends = parent?.sends ?? grant } = wanted;
    const endsAt = this.now + (wanted.lifetime ?? Infinity);
    const cap: Cap = {
      ...wanted,
      id: this.caps.length,
      maker,
      parent,
      packets: parent?.packets.intersection(grant) ?? grant,
      sends: parent?.sends.intersection(sends) ?? sends,
      copyBytesMax: wanted.copyBytesMax ?? parent!.copyBytesMax,
      endsAt: Math.min(parent?.endsAt ?? Infinity, endsAt),
      depth: parent === undefined ? 0 : parent.depth + 1,
      drops: {},
      live: true,
      closed: false,
    };
    this.caps.push(cap);
    return cap;
  }

  #end(caps: Cap[]): void {
    for (const cap of caps) {
      if (cap.live && this.#busy) this.#draining.push(cap);
      cap.live = false;
      this.#end(this.#below(cap));
    }
  }

  #take(cap: Cap, state: Page["state"], size: number): number {
    return this.pages.push({ cap, size, state }) - 1;
  }

  /** Counts what was refused. */
  refuse(port: number, why: string): string {
    count(this.refused.get(port)!, why);
    return why;
  }
}
