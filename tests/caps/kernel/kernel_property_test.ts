/** The capability kernel under any commands. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { given } from "../../../caps/kernel/given.ts";
import type {
  CapabilityKernel,
  CapabilityNode,
  Derived,
} from "../../../caps/kernel/kernel.ts";
import {
  hasRights,
  isObserver,
  RIGHT_DELEGATE,
  RIGHT_OBSERVE,
  RIGHTS_ALL,
} from "../../../caps/kernel/rights.ts";
import {
  type Capability,
  capabilityOf,
} from "../../../caps/kernel/capability.ts";
import { testProperty } from "../../property.ts";
import {
  bitSets,
  CAPABILITIES_KEPT,
  CAPABILITIES_MAX,
  makeKernel,
  QUOTA,
} from "./bit_sets.ts";

const PORTS = 4;

const ports = fc.integer({ min: 0, max: PORTS - 1 });
/** Which of the tags issued so far is presented, counted round; or one that was guessed. */
const picks = fc.nat({ max: 1000 });
/** Who presents it: mostly its holder, where there is one. */
const presenters = fc.option(ports, { nil: undefined, freq: 1 });

const optional = <T>(some: fc.Arbitrary<T>) =>
  fc.option(some, { nil: undefined });

const command = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      op: fc.constant("derive" as const),
      port: presenters,
      pick: picks,
      grant: fc.integer({ min: 0, max: 255 }),
      rights: fc.oneof(
        { weight: 4, arbitrary: fc.constant(RIGHTS_ALL) },
        { weight: 1, arbitrary: fc.constant(RIGHT_OBSERVE) },
        { weight: 1, arbitrary: fc.integer({ min: -1, max: 40 }) },
      ),
      quotaPages: fc.oneof(
        fc.integer({ min: 0, max: 30 }),
        fc.constantFrom(-1, 0.5, 1000, NaN),
      ),
      to: optional(ports),
      expiresAtUs: optional(fc.nat({ max: 20 })),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      op: fc.constant("delegate" as const),
      port: presenters,
      pick: picks,
      to: ports,
      rights: optional(fc.nat({ max: 40 })),
      quotaPages: optional(fc.nat({ max: 30 })),
      expiresAtUs: optional(fc.nat({ max: 20 })),
    }),
  },
  fc.record({
    op: fc.constant("expire" as const),
    laterUs: fc.nat({ max: 5 }),
  }),
  fc.record({
    op: fc.constantFrom("close" as const, "revoke" as const, "drop" as const),
    port: presenters,
    pick: picks,
  }),
  fc.record({
    op: fc.constant("release" as const),
    port: fc.integer({ min: 1, max: 3 }),
  }),
  fc.record({ op: fc.constant("drained" as const), pick: picks }),
);

type Command = typeof command extends fc.Arbitrary<infer T> ? T : never;
type CommandOf<Op> = Extract<Command, { op: Op }>;

/** A kernel, and what it must have come to. */
class Model {
  readonly kernel: CapabilityKernel<number>;
  readonly issued: Capability[];
  readonly known: Map<Capability, CapabilityNode<number>>;
  readonly draining: CapabilityNode<number>[] = [];
  /** The port that asked for each. */
  readonly makers = new Map<CapabilityNode<number>, number>();
  #nowUs = 0;

  constructor() {
    const { kernel, root } = makeKernel();
    this.kernel = kernel;
    this.issued = [root];
    this.known = new Map([[root, kernel.root!]]);
  }

  run(command: Command): void {
    const { kernel } = this;
    switch (command.op) {
      case "derive":
        return this.#derive(command);
      case "delegate":
        return this.#delegate(command);
      case "expire":
        return this.#expire(command.laterUs);
      case "close":
        kernel.close(this.#presenter(command), this.#tag(command.pick));
        return;
      case "revoke":
      case "drop":
        return this.#end(command.op, this.#presenter(command), command.pick);
      case "release":
        this.#ended(kernel.releasePort(command.port));
        for (const node of this.known.values()) {
          assert.notEqual(node.port, command.port);
        }
        return;
      case "drained": {
        const [node] = this.draining.splice(command.pick, 1);
        if (node !== undefined) kernel.drained(node.slot);
      }
    }
  }

  #tag(pick: number): Capability {
    const { issued } = this;
    return issued[pick % (issued.length + 1)] ?? (BigInt(pick) as Capability);
  }

  /** Who presents a tag: whoever was drawn, or its holder. */
  #presenter({ port, pick }: { port: number | undefined; pick: number }) {
    return port ?? this.known.get(this.#tag(pick))?.port ?? 0;
  }

  #derive(command: CommandOf<"derive">): void {
    const { op: _op, port: _port, pick, to, expiresAtUs, ...wanted } = command;
    const port = this.#presenter(command);
    const parent = this.known.get(this.#tag(pick));
    const result = this.kernel.derive(port, this.#tag(pick), {
      ...wanted,
      ...given({ to, expiresAtUs }),
    });
    this.#minted(result, parent, port, wanted.grant);
  }

  #delegate(command: CommandOf<"delegate">): void {
    const { pick, to, rights, quotaPages, expiresAtUs } = command;
    const port = this.#presenter(command);
    const parent = this.known.get(this.#tag(pick));
    const left = parent?.pagesLeft;
    const result = this.kernel.delegate(port, this.#tag(pick), {
      to,
      ...given({ rights, quotaPages, expiresAtUs }),
    });
    const node = this.#minted(result, parent, port, parent?.grant ?? 0);
    if (node === undefined) return;
    assert.ok(hasRights(parent!.rights, RIGHT_DELEGATE));
    assert.equal(node.port, to);
    assert.equal(node.grant, parent!.grant);
    assert.equal(node.sends, parent!.sends);
    assert.equal(node.rights, rights ?? parent!.rights);
    assert.equal(node.quotaPages, quotaPages ?? left);
  }

  #minted(
    result: Derived<number>,
    parent: CapabilityNode<number> | undefined,
    port: number,
    grant: number,
  ): CapabilityNode<number> | undefined {
    if ("refused" in result) {
      if (result.refused === "void") assert.ok(parent?.port !== port);
      if (result.refused === "overlap") {
        const owners = [...parent!.children].filter(({ rights }) =>
          !isObserver(rights)
        );
        assert.ok(owners.some((one) => bitSets.overlaps(one.grant, grant)));
      }
      return undefined;
    }
    assert.ok(parent !== undefined && parent.port === port);
    // It had made less than was free before.
    const { made, free, isRoot } = this.kernel.share(port);
    assert.ok(isRoot || made <= free + 1, "more than a share");
    this.makers.set(result.node, port);
    assert.ok(!this.issued.includes(result.capability), "a tag came twice");
    this.issued.push(result.capability);
    this.known.set(result.capability, result.node);
    return result.node;
  }

  #expire(laterUs: number): void {
    this.#nowUs += laterUs;
    const due = [...this.known.values()]
      .filter((node) => node.expiresAtUs <= this.#nowUs);
    const over = this.kernel.expire(this.#nowUs);
    assert.equal(over.length, due.length);
    assert.ok(due.every((node) => over.includes(node)));
    assert.ok(this.kernel.nextExpiryUs > this.#nowUs);
    this.#ended(over);
  }

  #end(op: "revoke" | "drop", port: number, pick: number): void {
    const live = this.known.get(this.#tag(pick));
    const result = this.kernel[op](port, this.#tag(pick));
    if ("refused" in result) {
      assert.ok(live?.port !== port || live.parent === undefined);
      return;
    }
    const below = [...this.known.values()].filter((node) =>
      isBelow(node, live!) && (op === "drop" || node !== live)
    );
    assert.equal(result.length, below.length);
    assert.ok(below.every((node) => result.includes(node)));
    this.#ended(result);
  }

  #ended(nodes: CapabilityNode<number>[]): void {
    for (const node of nodes) {
      assert.ok(
        this.known.delete(capabilityOf(node.tag)),
        "ended what was not live",
      );
      this.draining.push(node);
    }
  }
}

function isBelow(
  node: CapabilityNode<number>,
  above: CapabilityNode<number>,
): boolean {
  return node === above ||
    (node.parent !== undefined && isBelow(node.parent, above));
}

testProperty(
  "under any commands: rights and lifetimes shrink, siblings never overlap, pages are conserved, a tag is void elsewhere and once it has expired",
  { runs: 1500, file: import.meta.url },
  fc.property(fc.array(command, { maxLength: 60 }), (commands) => {
    const model = new Model();
    for (const command of commands) {
      model.run(command);
      checkInvariants(model);
    }
  }),
);

function checkInvariants(
  { kernel, known, draining, issued, makers }: Model,
): void {
  assert.equal(kernel.size, known.size);
  const existing = [...known.values(), ...draining];
  for (let port = 0; port < PORTS; port++) {
    const made = existing.filter((node) => makers.get(node) === port);
    assert.equal(kernel.share(port).made, made.length);
    const kept = port === 0 ? 0 : CAPABILITIES_KEPT;
    const free = CAPABILITIES_MAX - kept - existing.length;
    assert.equal(kernel.share(port).free, Math.max(0, free));
  }
  const slots = existing.map(({ slot }) => slot);
  assert.equal(new Set(slots).size, slots.length, "a slot was given twice");
  // Tables by slot are no larger than what may exist at once.
  for (const slot of slots) {
    assert.ok(Number.isInteger(slot) && slot >= 0 && slot < CAPABILITIES_MAX);
  }
  let pages = 0;
  for (const node of [...known.values(), ...draining]) {
    assert.ok(node.pagesLeft >= 0);
    pages += node.pagesLeft;
  }
  assert.equal(pages, QUOTA, "pages appeared or were lost");
  for (const node of known.values()) {
    const children = [...node.children];
    children.forEach((child, i) => {
      assert.ok(hasRights(node.rights, child.rights));
      assert.equal(child.sends & ~node.sends, 0);
      assert.ok(child.expiresAtUs <= node.expiresAtUs);
      if (isObserver(child.rights)) return;
      for (const other of children.slice(i + 1)) {
        if (isObserver(other.rights)) continue;
        assert.ok(
          !bitSets.overlaps(child.grant, other.grant),
          "siblings overlap",
        );
      }
    });
  }
  for (const tag of issued) {
    for (let port = 0; port < PORTS; port++) {
      const node = known.get(tag);
      assert.equal(
        kernel.present(port, tag),
        node?.port === port ? node : undefined,
      );
    }
  }
}
