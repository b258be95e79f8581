import assert from "node:assert/strict";
import fc from "fast-check";
import {
  CapabilityKernel,
  type CapabilityNode,
  type GrantAlgebra,
} from "../../caps/kernel.ts";
import {
  hasRights,
  isObserver,
  RIGHT_OBSERVE,
  RIGHT_SEND,
  RIGHTS_ALL,
} from "../../caps/rights.ts";
import { type Capability, capabilityOf, TagGenerator } from "../../caps/tag.ts";
import { testProperty } from "../property.ts";

const file = import.meta.url;

/** Grants for the model: sets of at most 8 packets, as bits. */
const sets: GrantAlgebra<number> = {
  everything: 255,
  overlaps: (a, b) => (a & b) !== 0,
  intersect: (a, b) => a & b,
};

const QUOTA = 100;
const PORTS = 4;

function makeKernel(): { kernel: CapabilityKernel<number>; root: Capability } {
  const tags = new TagGenerator((out) => out.fill(3));
  const kernel = new CapabilityKernel(sets, tags, {
    capabilitiesMax: 12,
    depthMax: 4,
  });
  return { kernel, root: kernel.makeRoot(0, QUOTA) };
}

const ports = fc.integer({ min: 0, max: PORTS - 1 });
/** Which of the tags issued so far is presented; beyond them, one that was guessed. */
const picks = fc.nat({ max: 15 });

const commands = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        op: fc.constant("derive" as const),
        port: ports,
        pick: picks,
        grant: fc.integer({ min: 0, max: 255 }),
        rights: fc.oneof(
          fc.constant(RIGHTS_ALL),
          fc.integer({ min: -1, max: 40 }),
        ),
        quotaPages: fc.oneof(
          fc.integer({ min: 0, max: 30 }),
          fc.constantFrom(-1, 0.5, 1000, NaN),
        ),
        to: fc.option(ports, { nil: undefined }),
      }),
    },
    fc.record({
      op: fc.constantFrom("close" as const, "revoke" as const, "drop" as const),
      port: ports,
      pick: picks,
    }),
    fc.record({
      op: fc.constant("release" as const),
      port: fc.integer({ min: 1, max: 3 }),
    }),
    fc.record({ op: fc.constant("drained" as const), pick: picks }),
  ),
  { maxLength: 60 },
);

testProperty(
  "under any commands: rights shrink, siblings never overlap, pages are conserved, a tag is void elsewhere",
  { runs: 1500, file },
  fc.property(commands, (commands) => {
    const { kernel, root } = makeKernel();
    const issued: Capability[] = [root];
    const known = new Map<Capability, CapabilityNode<number>>([[
      root,
      kernel.root!,
    ]]);
    const draining: CapabilityNode<number>[] = [];
    const tagFor = (pick: number) =>
      issued[pick] ?? (BigInt(pick) as Capability);
    const ended = (nodes: CapabilityNode<number>[]) => {
      for (const node of nodes) {
        assert.ok(
          known.delete(capabilityOf(node.tag)),
          "ended what was not live",
        );
        draining.push(node);
      }
    };
    for (const command of commands) {
      switch (command.op) {
        case "derive": {
          const { port, grant, rights, quotaPages, to } = command;
          const parent = known.get(tagFor(command.pick));
          const result = kernel.derive(port, tagFor(command.pick), {
            grant,
            rights,
            quotaPages,
            ...(to === undefined ? {} : { to }),
          });
          if ("refused" in result) {
            if (result.refused === "void") assert.ok(parent?.port !== port);
            break;
          }
          assert.ok(parent !== undefined && parent.port === port);
          assert.ok(!issued.includes(result.capability), "a tag came twice");
          issued.push(result.capability);
          known.set(result.capability, result.node);
          break;
        }
        case "close":
          kernel.close(command.port, tagFor(command.pick));
          break;
        case "revoke":
        case "drop": {
          const live = known.get(tagFor(command.pick));
          const result = kernel[command.op](command.port, tagFor(command.pick));
          if ("refused" in result) {
            assert.ok(live?.port !== command.port || live.parent === undefined);
          } else ended(result);
          break;
        }
        case "release":
          ended(kernel.releasePort(command.port));
          for (const node of known.values()) {
            assert.notEqual(node.port, command.port);
          }
          break;
        case "drained": {
          const [node] = draining.splice(command.pick, 1);
          if (node !== undefined) kernel.drained(node.slot);
        }
      }
      checkInvariants(kernel, known, draining, issued);
    }
  }),
);

function checkInvariants(
  kernel: CapabilityKernel<number>,
  known: ReadonlyMap<Capability, CapabilityNode<number>>,
  draining: readonly CapabilityNode<number>[],
  issued: readonly Capability[],
): void {
  assert.equal(kernel.size, known.size);
  const slots = [...known.values(), ...draining].map(({ slot }) => slot);
  assert.equal(new Set(slots).size, slots.length, "a slot was given twice");
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
      if (isObserver(child.rights)) return;
      for (const other of children.slice(i + 1)) {
        if (isObserver(other.rights)) continue;
        assert.ok(!sets.overlaps(child.grant, other.grant), "siblings overlap");
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

const whole = { grant: 255, rights: RIGHTS_ALL, quotaPages: 10 };

Deno.test("derive() refuses what would widen, and says why in one word", () => {
  const { kernel, root } = makeKernel();
  const refused = (port: number, tag: unknown, more: object) => {
    const result = kernel.derive(port, tag, { ...whole, ...more });
    return "refused" in result ? result.refused : undefined;
  };
  const made = kernel.derive(0, root, {
    grant: 15,
    rights: 9,
    quotaPages: 10,
    to: 1,
  });
  assert.ok("capability" in made);
  const child = made.capability;
  assert.equal(refused(0, child, {}), "void"); // its holder is port 1
  assert.equal(refused(1, root, {}), "void");
  assert.equal(refused(1, 12345n, {}), "void");
  assert.equal(refused(1, child, { rights: 1, to: 2 }), "right"); // it may not delegate
  assert.equal(refused(1, child, { rights: 4 }), "right"); // it may not send itself
  assert.equal(refused(1, child, { rights: 1, quotaPages: 11 }), "quota");
  assert.equal(refused(0, root, { grant: 8 }), "overlap");
  assert.equal(refused(0, root, { rights: 64, grant: 16 }), "invalid");
  assert.equal(kernel.close(1, child), undefined);
  assert.equal(refused(1, child, { rights: 1 }), "closed");
});

Deno.test("revoke() ends children and grandchildren in every table, and not the capability itself", () => {
  const { kernel, root } = makeKernel();
  const child = kernel.derive(0, root, { ...whole, grant: 3, to: 1 });
  const sibling = kernel.derive(0, root, { ...whole, grant: 4, to: 2 });
  assert.ok("capability" in child && "capability" in sibling);
  const grandchild = kernel.derive(1, child.capability, {
    ...whole,
    grant: 1,
    to: 3,
  });
  assert.ok("capability" in grandchild);
  const ended = kernel.revoke(1, child.capability);
  assert.ok(!("refused" in ended));
  assert.deepEqual(ended.map(({ slot }) => slot), [grandchild.node.slot]);
  assert.equal(kernel.present(3, grandchild.capability), undefined);
  assert.equal(kernel.present(1, child.capability), child.node);
  const all = kernel.revoke(0, root);
  assert.ok(!("refused" in all));
  assert.equal(all.length, 2);
  assert.equal(kernel.size, 1);
});

Deno.test("a revoked capability's slot and quota come back only once it has drained", () => {
  const { kernel, root } = makeKernel();
  const made = kernel.derive(0, root, { ...whole, quotaPages: QUOTA });
  assert.ok("node" in made);
  kernel.revoke(0, root);
  assert.deepEqual(kernel.derive(0, root, { ...whole, quotaPages: 1 }), {
    refused: "quota",
  });
  kernel.drained(made.node.slot);
  const again = kernel.derive(0, root, { ...whole, quotaPages: QUOTA });
  assert.ok("node" in again);
  assert.equal(again.node.slot, made.node.slot);
});

Deno.test("an observer may overlap its siblings, sees no more than its parent, and neither owns nor sends", () => {
  const { kernel, root } = makeKernel();
  const owner = kernel.derive(0, root, { ...whole, grant: 7, to: 1 });
  assert.ok("capability" in owner);
  const observe = { rights: RIGHT_OBSERVE, quotaPages: 1 };
  const first = kernel.derive(1, owner.capability, { ...observe, grant: 13 });
  const second = kernel.derive(1, owner.capability, { ...observe, grant: 12 });
  assert.ok("node" in first && "node" in second);
  assert.equal(first.node.observes, 5); // 13 within 7
  assert.equal(second.node.observes, 4);
  // What is observed can be owned all the same.
  const child = kernel.derive(1, owner.capability, {
    ...whole,
    quotaPages: 1,
    grant: 5,
  });
  assert.ok("node" in child);
  const sending = {
    rights: RIGHT_OBSERVE | RIGHT_SEND,
    quotaPages: 1,
    grant: 2,
  };
  assert.deepEqual(kernel.derive(1, owner.capability, sending), {
    refused: "invalid",
  });
});
