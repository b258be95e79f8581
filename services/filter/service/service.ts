/**
 * The filter service: it alone issues capabilities. A holder asks for a narrower
 * one than it has; what is granted is compiled with everything else that lives,
 * installed in the driver, and only then answered, so that packets flow from the
 * moment that the holder knows its tag.
 */

import { type Counts, Tally } from "../../../caps/driver/accounts.ts";
import type {
  AccountCounts,
  DriverOrder,
  DriverReport,
} from "../../../caps/driver/messages.ts";
import type {
  CapabilityKernel,
  CapabilityNode,
  PortId,
} from "../../../caps/kernel/kernel.ts";
import { type Port, takeAll } from "../../../caps/port/port.ts";
import { capabilityOf } from "../../../caps/kernel/capability.ts";
import { type Alarm, Alarms } from "../../runtime/alarms.ts";
import type { Clock } from "../../runtime/clock.ts";
import { type CompileTarget, heirOf } from "./compilation.ts";
import { describeCapability } from "../grant/describe.ts";
import { effectiveGrant } from "../grant/effective.ts";
import { type Grant, GrantError } from "../grant/grant.ts";
import { Installer } from "./installer.ts";
import { FilterError } from "../language/error.ts";
import type {
  CapabilityDescription,
  FilterReply,
  FilterRequest,
  PortRefusals,
} from "./messages.ts";
import { refusal } from "./refusal.ts";
import { delegationOf, derivationOf, isRequest } from "./request.ts";

/** Requests of one holder that wait; more are refused unread. */
const REQUESTS_WAITING_MAX = 64;

/**
 * Requests after which a holder is cut off, of those that none has a reason to
 * make: nonsense, too many at once, void tags. To be told that others have it
 * already, or that there are no pages left, is no offence, however often.
 */
const STRIKES_MAX = 4096;

/** How long the presenter of void tags waits for its answer, at the most. */
const PENALTY_MS_MAX = 100;

/** What a filter service is made of. */
export interface FilterServiceOptions {
  readonly kernel: CapabilityKernel<Grant>;
  readonly target: CompileTarget;
  readonly driver: Port<DriverOrder, DriverReport>;
  /** What lifetimes and penalties are reckoned by. */
  readonly clock: Clock;
  /** Told when a holder is cut off for what it asked, and what was refused by then. */
  readonly onOutlaw: (port: PortId, refusals: Counts) => void;
}

/** What makes a capability. */
type Minting = Extract<FilterRequest, { op: "derive" | "delegate" }>;

interface Holder {
  readonly port: Port<FilterReply, unknown>;
  readonly refusals: Tally;
  readonly waiting: unknown[];
  busy: boolean;
  strikes: number;
  voids: number;
}

/** Issues one NIC's capabilities. */
export class FilterService implements Disposable {
  readonly #options: FilterServiceOptions;
  readonly #holders = new Map<PortId, Holder>();
  readonly #installer: Installer;
  /** By revocation. */
  readonly #awaited = new Map<number, () => void>();
  /** Ends of capabilities that the driver has not answered yet. */
  readonly #ending = new Set<Promise<void>>();
  /** By question to the driver: at most one a holder, whose requests are answered one after the other. */
  readonly #asked = new Map<
    number,
    (counts: AccountCounts | undefined) => void
  >();
  #nextQuestion = 0;
  #nextRevocation = 0;
  readonly #alarms: Alarms;
  /** Rings when the next capability expires. */
  #expiry: Alarm | undefined;

  constructor(options: FilterServiceOptions) {
    this.#options = options;
    this.#alarms = new Alarms(options.clock);
    this.#installer = new Installer(options);
    options.driver.onReady = () => this.#takeReports();
  }

  /** Connects a holder's port. */
  attach(id: PortId, port: Port<FilterReply, unknown>): void {
    const holder: Holder = {
      port,
      refusals: new Tally(),
      waiting: [],
      busy: false,
      strikes: 0,
      voids: 0,
    };
    this.#holders.set(id, holder);
    port.onReady = () => this.#listen(id, holder);
    this.#listen(id, holder);
  }

  /** Ends all capabilities of a holder that is gone; resolves when that is in force. */
  async detach(id: PortId): Promise<void> {
    this.#holders.get(id)?.port[Symbol.dispose]();
    this.#holders.delete(id);
    // What has expired a moment ago is not over before the driver says so.
    const ending = [...this.#ending];
    await this.#end(this.#options.kernel.releasePort(id));
    await Promise.all(ending);
    this.#tidy();
  }

  /** The live capabilities, in words: what they really have, whatever was asked for. */
  describe(): CapabilityDescription[] {
    const described: CapabilityDescription[] = [];
    const visit = (node: CapabilityNode<Grant>, within: Grant): void => {
      const grant = node.observes ?? effectiveGrant(node.grant, within);
      described.push({
        slot: node.slot,
        port: node.port,
        filter: describeCapability({ ...node, grant }),
        quotaPages: node.quotaPages,
        narrowed: node.children.size > 0,
      });
      for (const child of node.children) visit(child, grant);
    };
    const { root } = this.#options.kernel;
    for (const child of root?.children ?? []) visit(child, root!.grant);
    return described;
  }

  /** What each holder was refused. */
  refusals(): PortRefusals[] {
    return [...this.#holders].map(([port, holder]) => ({
      port,
      refusals: holder.refusals.snapshot(),
    }));
  }

  /** Lets go of every port. */
  [Symbol.dispose](): void {
    for (const { port } of this.#holders.values()) port[Symbol.dispose]();
    this.#holders.clear();
    this.#options.driver[Symbol.dispose]();
    this.#alarms[Symbol.dispose]();
  }

  #listen(id: PortId, holder: Holder): void {
    for (const request of takeAll(holder.port)) {
      if (holder.waiting.length >= REQUESTS_WAITING_MAX) {
        this.#strike(id, holder, "flood");
      } else {
        holder.waiting.push(request);
      }
    }
    if (!holder.busy) void this.#serve(id, holder);
  }

  /** Answers one holder's requests, one after the other; others are not held up. */
  async #serve(id: PortId, holder: Holder): Promise<void> {
    holder.busy = true;
    for (
      let request = holder.waiting.shift();
      request !== undefined;
      request = holder.waiting.shift()
    ) {
      if (!isRequest(request)) {
        this.#strike(id, holder, "malformed");
        continue;
      }
      const reply = await this.#answer(id, request);
      if ("refused" in reply && reply.refused === "void") {
        this.#strike(id, holder, "void");
        await this.#delay(Math.min(++holder.voids, PENALTY_MS_MAX));
      } else if ("refused" in reply) holder.refusals.add(reply.refused);
      holder.port.post(reply);
      this.#tidy();
    }
    holder.busy = false;
  }

  #strike(id: PortId, holder: Holder, reason: string): void {
    holder.refusals.add(reason);
    if (++holder.strikes !== STRIKES_MAX) return;
    this.#options.onOutlaw(id, holder.refusals.snapshot());
    void this.detach(id);
  }

  async #answer(port: PortId, request: FilterRequest): Promise<FilterReply> {
    const { id } = request;
    // A timer may be late; a tag is void on time.
    this.#expire();
    try {
      const { kernel } = this.#options;
      switch (request.op) {
        case "derive":
        case "delegate":
          return await this.#mint(port, request);
        case "close": {
          const refused = kernel.close(port, request.capability);
          return refused === undefined
            ? { id, done: true }
            : refusal(id, refused);
        }
        case "account":
          return await this.#account(port, request);
      }
      const ended = kernel[request.op](port, request.capability);
      if ("refused" in ended) return refusal(id, ended.refused);
      await this.#end(ended);
      return { id, done: true };
    } catch (error) {
      if (error instanceof GrantError || error instanceof FilterError) {
        return refusal(id, "invalid", error.message);
      }
      throw error;
    }
  }

  /** What a capability of the asker's own counted: the driver knows. */
  async #account(
    port: PortId,
    { id, capability }: Extract<FilterRequest, { op: "account" }>,
  ): Promise<FilterReply> {
    const { kernel, driver } = this.#options;
    const node = kernel.present(port, capability);
    if (node === undefined) return refusal(id, "void");
    const question = ++this.#nextQuestion;
    // The driver takes orders as they come: it is no later capability's slot.
    driver.post({ kind: "account", id: question, slot: node.slot });
    const counts = await new Promise<AccountCounts | undefined>((resolve) =>
      this.#asked.set(question, resolve)
    );
    if (counts === undefined) return refusal(id, "void");
    const { slot: _slot, port: _port, ...account } = counts;
    return { id, account };
  }

  /** A new capability, once the driver has it. */
  async #mint(port: PortId, request: Minting): Promise<FilterReply> {
    const { id, op, to } = request;
    if ((op === "delegate" || to !== undefined) && !this.#holders.has(to!)) {
      return refusal(id, "invalid", "no holder has that port");
    }
    const { kernel, clock } = this.#options;
    const derived = op === "derive"
      ? kernel.derive(port, request.from, derivationOf(request, clock.now()))
      : kernel.delegate(
        port,
        request.capability,
        delegationOf(request, clock.now()),
      );
    if ("refused" in derived) return refusal(id, derived.refused);
    this.#awaitExpiry();
    this.#installer.open(derived.node);
    const why = await this.#installer.commit();
    if (why === undefined) return { id, capability: derived.capability };
    // What cannot be installed was never granted.
    await this.#end(this.#drop(derived.node));
    return refusal(id, "driver", why);
  }

  #drop(node: CapabilityNode<Grant>): CapabilityNode<Grant>[] {
    const dropped = this.#options.kernel.drop(
      node.port,
      capabilityOf(node.tag),
    );
    return "refused" in dropped ? [] : dropped;
  }

  /** Has the driver end capabilities, at once; {@link #tidy} is to follow. */
  async #end(ended: readonly CapabilityNode<Grant>[]): Promise<void> {
    if (ended.length === 0) return;
    this.#installer.end(ended);
    const id = ++this.#nextRevocation;
    this.#options.driver.post({
      kind: "revoke",
      id,
      ended: slotsAndHeirs(ended),
    });
    const over = new Promise<void>((resolve) => this.#awaited.set(id, resolve));
    this.#ending.add(over);
    await over;
    this.#ending.delete(over);
  }

  /** Takes what ended out of the classifiers. To compile takes long: nobody waits for it. */
  #tidy(): void {
    if (this.#installer.behind) void this.#installer.commit();
  }

  /** Ends what has expired, as if it were revoked. */
  #expire(): void {
    const { kernel, clock } = this.#options;
    if (clock.now() < kernel.nextExpiryUs) return;
    void this.#end(kernel.expire(clock.now())).then(() => this.#tidy());
    this.#awaitExpiry();
  }

  /** Has the alarm set for whatever expires next. */
  #awaitExpiry(): void {
    const { nextExpiryUs } = this.#options.kernel;
    if ((this.#expiry?.expiresAtUs ?? Infinity) === nextExpiryUs) return;
    if (this.#expiry !== undefined) this.#alarms.cancel(this.#expiry);
    this.#expiry = nextExpiryUs === Infinity
      ? undefined
      : this.#alarms.set(nextExpiryUs, () => {
        this.#expiry = undefined;
        this.#expire();
        this.#awaitExpiry();
      });
  }

  #delay(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.#alarms.after(delayMs, resolve));
  }

  /** What was carved out for capabilities that are over is their ancestors' again, in the driver too. */
  #drained(slots: Uint32Array): void {
    const { driver, kernel } = this.#options;
    // Those of a subtree have one ancestor.
    const richer = new Set<CapabilityNode<Grant>>();
    for (const slot of slots) {
      const node = kernel.drained(slot);
      if (node !== undefined) richer.add(node);
    }
    if (richer.size === 0) return;
    const quotas = [...richer].map(({ slot, pagesLeft }) => ({
      slot,
      quotaPages: pagesLeft,
    }));
    driver.post({ kind: "quota", quotas });
  }

  #takeReports(): void {
    const { driver } = this.#options;
    for (const report of takeAll(driver)) {
      if (report.kind === "drained") {
        this.#drained(report.slots);
      } else if (report.kind === "revoked") {
        this.#awaited.get(report.id)?.();
        this.#awaited.delete(report.id);
      } else if (report.kind === "account") {
        this.#asked.get(report.id)?.(report.counts);
        this.#asked.delete(report.id);
      } else {
        this.#installer.committed(report);
      }
    }
  }
}

/** Each one's slot and its heir's, side by side. */
function slotsAndHeirs(nodes: readonly CapabilityNode<Grant>[]): Uint32Array {
  const pairs = new Uint32Array(2 * nodes.length);
  nodes.forEach((node, i) => {
    pairs[2 * i] = node.slot;
    pairs[2 * i + 1] = heirOf(node);
  });
  return pairs;
}
