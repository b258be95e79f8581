/**
 * The filter service: it alone issues capabilities. A holder asks for a narrower
 * one than it has; what is granted is compiled with everything else that lives,
 * installed in the driver, and only then answered, so that packets flow from the
 * moment that the holder knows its tag.
 */

import type { Counts } from "../../../caps/driver/accounts.ts";
import type {
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
import { Alarms } from "../../runtime/alarms.ts";
import { Calls } from "../../runtime/calls.ts";
import type { Clock } from "../../runtime/clock.ts";
import { type CompileTarget, fallbackOf } from "./compilation.ts";
import { describeCapability } from "../grant/describe.ts";
import { effectiveGrant } from "../grant/effective.ts";
import { Expiry } from "./expiry.ts";
import { type Grant, GrantError } from "../grant/grant.ts";
import { Installer } from "./installer.ts";
import { FilterError } from "../language/error.ts";
import type {
  CapabilityDescription,
  FilterReply,
  FilterRequest,
  PortRefusals,
} from "./messages.ts";
import { refusal, refusalOfNew } from "./refusal.ts";
import { delegationOf, derivationOf } from "./request.ts";
import { Requests } from "./requests.ts";

/** What a filter service is made of. */
export interface FilterServiceOptions {
  readonly kernel: CapabilityKernel<Grant>;
  readonly target: CompileTarget;
  readonly driver: Port<DriverOrder, DriverReport>;
  /** Measures lifetimes and penalties. */
  readonly clock: Clock;
  /** Called when a holder is cut off for what it asked, with what was refused by then. */
  readonly onCutOff: (port: PortId, refusals: Counts) => void;
}

/** What the driver answers, but for orders to install. */
type DriverAnswer = Extract<DriverReport, { readonly id: number }>;

/** A request for a new capability. */
type Minting = Extract<FilterRequest, { op: "derive" | "delegate" }>;

/** Issues one NIC's capabilities. */
export class FilterService implements Disposable {
  readonly #options: FilterServiceOptions;
  readonly #holders = new Map<PortId, Requests>();
  readonly #installer: Installer;
  /** Revocations and questions that the driver has not answered yet. */
  readonly #calls = new Calls<DriverAnswer>("the driver service", Infinity);
  /** Ends of capabilities that the driver has not answered yet. */
  readonly #ending = new Set<Promise<unknown>>();
  readonly #alarms: Alarms;
  readonly #expiry: Expiry;

  constructor(options: FilterServiceOptions) {
    this.#options = options;
    this.#alarms = new Alarms(options.clock);
    this.#expiry = new Expiry({
      alarms: this.#alarms,
      nextUs: () => options.kernel.nextExpiryUs,
      onDue: () => this.#expire(),
    });
    this.#installer = new Installer(options);
    options.driver.onReady = () => this.#takeReports();
  }

  /** Connects a holder's port. */
  attach(id: PortId, port: Port<FilterReply, unknown>): void {
    const requests = new Requests({
      port,
      answer: (request) => this.#answer(id, request),
      onAnswered: () => this.#tidy(),
      onStruckOut: () => {
        this.#options.onCutOff(id, requests.refusals);
        void this.detach(id);
      },
      delay: (delayMs) =>
        new Promise((resolve) => this.#alarms.after(delayMs, resolve)),
    });
    this.#holders.set(id, requests);
    requests.take();
  }

  /** Ends all capabilities of a holder that has ended; resolves when that is in force. */
  async detach(id: PortId): Promise<void> {
    this.#holders.get(id)?.[Symbol.dispose]();
    this.#holders.delete(id);
    // What has expired a moment ago is in force until the driver says otherwise.
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
        parent: node.parent!.slot,
        rights: node.rights,
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
    return [...this.#holders].map(([port, { refusals }]) => ({
      port,
      refusals,
    }));
  }

  /** Closes every port. */
  [Symbol.dispose](): void {
    for (const requests of this.#holders.values()) requests[Symbol.dispose]();
    this.#holders.clear();
    this.#options.driver[Symbol.dispose]();
    this.#alarms[Symbol.dispose]();
  }

  async #answer(port: PortId, request: FilterRequest): Promise<FilterReply> {
    const { id } = request;
    // A timer may be late; a tag is void on time.
    this.#expire();
    try {
      const { kernel } = this.#options;
      const { op } = request;
      switch (op) {
        case "derive":
        case "delegate":
          return await this.#mint(port, request);
        case "account":
          return await this.#account(port, request);
        case "close": {
          const refused = kernel.close(port, request.capability);
          return refused === undefined
            ? { id, done: true }
            : refusal(id, refused);
        }
        case "revoke":
        case "drop": {
          const ended = op === "revoke"
            ? kernel.revoke(port, request.capability)
            : kernel.drop(port, request.capability);
          if ("refused" in ended) return refusal(id, ended.refused);
          await this.#end(ended);
          return { id, done: true };
        }
      }
    } catch (error) {
      if (error instanceof GrantError || error instanceof FilterError) {
        return refusal(id, "invalid", error.message);
      }
      throw error;
    }
  }

  /** Asks the driver what a capability of the asker's own counted. */
  async #account(
    port: PortId,
    { id, capability }: Extract<FilterRequest, { op: "account" }>,
  ): Promise<FilterReply> {
    const { kernel, driver } = this.#options;
    const node = kernel.present(port, capability);
    if (node === undefined) return refusal(id, "void");
    const { slot } = node;
    // The driver takes orders as they come: it is no later capability's slot.
    const answer = await this.#calls.ask((id) =>
      void driver.post({ kind: "account", id, slot })
    );
    if (answer.kind !== "account" || answer.counts === undefined) {
      return refusal(id, "void");
    }
    const { slot: _slot, port: _port, ...account } = answer.counts;
    return { id, account };
  }

  /** Makes a capability, and answers once the driver has it. */
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
    if ("refused" in derived) {
      return refusalOfNew(id, derived.refused, kernel.share(port));
    }
    this.#expiry.update();
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
    const { driver } = this.#options;
    const pairs = slotsAndFallbacks(ended);
    const revoked = this.#calls.ask((id) =>
      void driver.post({ kind: "revoke", id, ended: pairs })
    );
    this.#ending.add(revoked);
    await revoked;
    this.#ending.delete(revoked);
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
    this.#expiry.update();
  }

  /** Gives their ancestors what was carved out for revoked capabilities, in the driver too. */
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
      } else if (report.kind === "committed") {
        this.#installer.committed(report);
      } else {
        this.#calls.answer(report.id, report);
      }
    }
  }
}

/** The slot of each node and that of its fallback, side by side. */
function slotsAndFallbacks(
  nodes: readonly CapabilityNode<Grant>[],
): Uint32Array {
  const pairs = new Uint32Array(2 * nodes.length);
  nodes.forEach((node, i) => {
    pairs[2 * i] = node.slot;
    pairs[2 * i + 1] = fallbackOf(node);
  });
  return pairs;
}
