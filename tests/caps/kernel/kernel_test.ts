import assert from "node:assert/strict";
import { CapabilityKernel } from "../../../caps/kernel/kernel.ts";
import {
  isRights,
  RIGHT_DELEGATE,
  RIGHT_DERIVE,
  RIGHT_OBSERVE,
  RIGHT_RECEIVE,
  RIGHT_SEND,
  RIGHTS_ALL,
} from "../../../caps/kernel/rights.ts";
import { SiblingList } from "../../../caps/kernel/sibling_index.ts";
import { TagGenerator } from "../../../caps/kernel/tag.ts";
import { bitSets, makeKernel, QUOTA } from "./bit_sets.ts";

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

Deno.test("a delegated capability is its receiver's under another tag, until the delegator's is revoked", () => {
  const { kernel, root } = makeKernel();
  const made = kernel.derive(0, root, { ...whole, grant: 6, to: 1 });
  assert.ok("capability" in made);
  const own = made.capability;
  const given = kernel.delegate(1, own, { to: 2 });
  assert.ok("capability" in given);
  assert.notEqual(given.capability, own);
  assert.equal(kernel.present(2, own), undefined);
  assert.equal(kernel.present(1, given.capability), undefined);
  assert.equal(kernel.present(2, given.capability), given.node);
  const { grant, sends, rights, quotaPages } = given.node;
  assert.deepEqual([grant, sends, rights, quotaPages], [6, 255, 31, 10]);
  // All of its packets are the receiver's now.
  const part = { grant: 2, rights: RIGHT_RECEIVE, quotaPages: 0 };
  assert.deepEqual(kernel.derive(1, own, part), { refused: "overlap" });
  assert.deepEqual(kernel.delegate(1, own, { to: 3 }), { refused: "overlap" });
  const ended = kernel.revoke(1, own);
  assert.deepEqual(ended, [given.node]);
  assert.equal(kernel.present(2, given.capability), undefined);
  assert.equal(kernel.present(1, own), made.node);
});

Deno.test("delegate() needs its own right and no other, and gives no more than there is", () => {
  const { kernel, root } = makeKernel();
  const derive = (grant: number, rights: number) => {
    const made = kernel.derive(0, root, { grant, rights, quotaPages: 10 });
    assert.ok("capability" in made);
    return made.capability;
  };
  const refused = (tag: unknown, more: object) => {
    const result = kernel.delegate(0, tag, { to: 1, ...more });
    return "refused" in result ? result.refused : undefined;
  };
  const derives = derive(1, RIGHT_RECEIVE | RIGHT_DERIVE);
  assert.equal(refused(derives, {}), "right");
  const delegates = derive(2, RIGHT_RECEIVE | RIGHT_DELEGATE);
  assert.equal(refused(delegates, { rights: RIGHTS_ALL }), "right");
  assert.equal(refused(delegates, { quotaPages: 11 }), "quota");
  assert.equal(refused(delegates, { expiresAtUs: NaN }), "invalid");
  assert.equal(refused(77n, {}), "void");
  assert.equal(refused(delegates, { rights: RIGHT_RECEIVE }), undefined);
  const closed = derive(4, RIGHT_DELEGATE);
  kernel.close(0, closed);
  assert.equal(refused(closed, {}), "closed");
});

Deno.test("what cannot be written down as a grant is refused as too complex", () => {
  const limits = { capabilitiesMax: 9, capabilitiesKept: 0, depthMax: 4 };
  const algebra = { ...bitSets, intersect: () => undefined };
  const tags = new TagGenerator((out) => out.fill(3));
  const kernel = new CapabilityKernel<number>(algebra, tags, limits);
  const root = kernel.makeRoot(0, QUOTA);
  const derive = (wanted: object) =>
    kernel.derive(0, root, { ...whole, quotaPages: 0, grant: 7, ...wanted });
  assert.deepEqual(derive({ sends: 3 }), { refused: "complex" });
  assert.deepEqual(derive({ rights: RIGHT_OBSERVE }), { refused: "complex" });
  // Without either there is nothing to be met.
  assert.ok("node" in derive({}));
});

Deno.test("a capability with filter text keeps it, and nothing is derived from it", () => {
  const { kernel, root } = makeKernel();
  const wanted = { ...whole, quotaPages: 1, grant: 6 };
  const plain = kernel.derive(0, root, { ...wanted, grant: 1 });
  assert.ok("node" in plain && plain.node.residual === undefined);
  const made = kernel.derive(0, root, { ...wanted, residual: "tcp" });
  assert.ok("node" in made);
  assert.equal(made.node.residual, "tcp");
  const refused = kernel.derive(0, made.capability, { ...wanted, grant: 2 });
  assert.deepEqual(refused, { refused: "residual" });
});

Deno.test("void tags are refused by that name, whatever is asked, and the root is not dropped", () => {
  const { kernel, root } = makeKernel();
  for (const tag of [1n, "tag", undefined, root + 1n]) {
    assert.deepEqual(kernel.revoke(0, tag), { refused: "void" });
    assert.deepEqual(kernel.drop(0, tag), { refused: "void" });
    assert.equal(kernel.close(0, tag), "void");
    assert.deepEqual(kernel.delegate(0, tag, { to: 1 }), { refused: "void" });
    assert.deepEqual(kernel.derive(0, tag, whole), { refused: "void" });
  }
  assert.deepEqual(kernel.drop(0, root), { refused: "right" });
});

Deno.test("rights are whole numbers of known bits", () => {
  for (const rights of [0, 1, RIGHTS_ALL]) assert.ok(isRights(rights));
  for (const rights of [RIGHTS_ALL + 1, -1, 0.5, NaN, "1", null, [1], 1n]) {
    assert.ok(!isRights(rights), `${rights}`);
  }
});

Deno.test("a list of siblings keeps a grant for as often as it was added", () => {
  // To itself it is nothing: somebody else's may match more.
  const list = new SiblingList<number>((a, b) => a !== b);
  list.add(1);
  list.add(1);
  list.remove(1);
  assert.ok(list.overlaps(2));
  list.remove(1);
  assert.ok(!list.overlaps(2));
  list.remove(1);
});

Deno.test("a child ends with its parent, whatever lifetime it asked for", () => {
  const { kernel, root } = makeKernel();
  const parent = kernel.derive(0, root, { ...whole, expiresAtUs: 10 });
  assert.ok("capability" in parent);
  const from = parent.capability;
  const part = { rights: RIGHT_RECEIVE, quotaPages: 1 };
  const long = kernel.derive(0, from, { ...part, grant: 1, expiresAtUs: 99 });
  const none = kernel.derive(0, from, { ...part, grant: 2 });
  const short = kernel.derive(0, from, { ...part, grant: 4, expiresAtUs: 5 });
  assert.ok("node" in long && "node" in none && "node" in short);
  assert.deepEqual(
    [long, none, short].map(({ node }) => node.expiresAtUs),
    [10, 10, 5],
  );
  assert.equal(kernel.nextExpiryUs, 5);
  assert.deepEqual(kernel.expire(4), []);
  assert.deepEqual(kernel.expire(5), [short.node]);
  assert.equal(kernel.nextExpiryUs, 10);
  assert.deepEqual(kernel.expire(10), [parent.node, long.node, none.node]);
  assert.equal(kernel.nextExpiryUs, Infinity);
  assert.equal(kernel.size, 1);
});
