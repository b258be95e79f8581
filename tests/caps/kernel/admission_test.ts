/** What a capability says of itself, at the borders of what it may say. */

import { deepEqual, equal, notEqual, ok, throws } from "node:assert/strict";
import {
  CapabilityKernel,
  COPY_BYTES_MAX_DEFAULT,
} from "../../../caps/kernel/kernel.ts";
import {
  RIGHT_DERIVE,
  RIGHT_OBSERVE,
  RIGHT_RECEIVE,
  RIGHTS_ALL,
} from "../../../caps/kernel/rights.ts";
import type { TagGenerator } from "../../../caps/kernel/tag.ts";
import { bitSets, makeKernel, QUOTA } from "./bit_sets.ts";

const wanted = { grant: 1, rights: RIGHTS_ALL, quotaPages: 0 };

Deno.test("numbers that make no sense are refused, and 0 is a number", () => {
  const { kernel, root } = makeKernel();
  const nonsense = [
    ...[-1, 0.5, NaN, Infinity].flatMap((count) => [
      { quotaPages: count },
      { copyBytesMax: count },
    ]),
    { expiresAtUs: NaN },
    { limit: {} },
    { limit: { packetsPerSecond: 0 } },
    { rights: -1 },
  ];
  for (const one of nonsense) {
    const refused = kernel.derive(0, root, { ...wanted, ...one });
    deepEqual(refused, { refused: "invalid" }, JSON.stringify(one));
  }
  const made = kernel.derive(0, root, { ...wanted, copyBytesMax: 0 });
  ok("node" in made);
  equal(made.node.copyBytesMax, 0);
});

Deno.test("who may derive and not delegate may name its own port, and no other", () => {
  const { kernel, root } = makeKernel();
  const rights = RIGHT_DERIVE | RIGHT_RECEIVE;
  const made = kernel.derive(0, root, { ...wanted, rights, to: 1 });
  ok("capability" in made);
  const part = { ...wanted, rights: RIGHT_RECEIVE };
  const other = kernel.derive(1, made.capability, { ...part, to: 2 });
  deepEqual(other, { refused: "right" });
  const own = kernel.derive(1, made.capability, { ...part, to: 1 });
  ok("node" in own);
  equal(own.node.port, 1);
});

Deno.test("a capability copies as many bytes as its parent unless it says otherwise", () => {
  const { kernel, root } = makeKernel();
  equal(kernel.root!.copyBytesMax, COPY_BYTES_MAX_DEFAULT);
  const parent = kernel.derive(0, root, { ...wanted, copyBytesMax: 7 });
  ok("capability" in parent);
  const child = kernel.derive(0, parent.capability, wanted);
  ok("node" in child);
  equal(child.node.copyBytesMax, 7);
});

Deno.test("a rate limit is its capability's own, whatever becomes of the object that said it", () => {
  const { kernel, root } = makeKernel();
  const limit = { packetsPerSecond: 5, other: 1 };
  const made = kernel.derive(0, root, { ...wanted, limit });
  ok("node" in made);
  limit.packetsPerSecond = 1e9;
  deepEqual(made.node.limit, { packetsPerSecond: 5 });
  // A child's own limit is none of its parent's: those hold besides.
  const child = kernel.derive(0, made.capability, wanted);
  ok("node" in child);
  equal(child.node.limit, undefined);
});

Deno.test("the last page may be carved out, and not one more", () => {
  const { kernel, root } = makeKernel();
  const all = { ...wanted, quotaPages: QUOTA + 1 };
  deepEqual(kernel.derive(0, root, all), { refused: "quota" });
  ok("node" in kernel.derive(0, root, { ...all, quotaPages: QUOTA }));
  equal(kernel.root!.pagesLeft, 0);
  ok("node" in kernel.derive(0, root, { ...wanted, grant: 2 }));
});

Deno.test("who observes has no filter text; who receives as well is no observer", () => {
  const { kernel, root } = makeKernel();
  const observer = { ...wanted, rights: RIGHT_OBSERVE };
  const refused = kernel.derive(0, root, { ...observer, residual: "tcp" });
  deepEqual(refused, { refused: "invalid" });
  const both = { ...wanted, rights: RIGHT_OBSERVE | RIGHT_RECEIVE };
  const owner = kernel.derive(0, root, { ...both, residual: "tcp" });
  ok("node" in owner);
  equal(owner.node.observes, undefined);
  deepEqual(kernel.derive(0, root, both), { refused: "overlap" });
  ok("node" in kernel.derive(0, root, observer));
});

Deno.test("what an observer sees is within everything above it, as far up as it goes", () => {
  const { kernel, root } = makeKernel();
  const derive = (from: unknown, grant: number, rights = RIGHTS_ALL) => {
    const made = kernel.derive(0, from, { ...wanted, grant, rights });
    ok("node" in made);
    return made;
  };
  // A grant may be wider than its parent's: only what both have is meant.
  const upper = derive(root, 0b0111);
  const lower = derive(upper.capability, 0b1110);
  const observer = derive(lower.capability, 0b1011, RIGHT_OBSERVE);
  equal(observer.node.observes, 0b0010);
});

Deno.test("there is one root, it lives for ever, and a tag that comes twice is noticed", () => {
  const { kernel, root } = makeKernel();
  throws(() => kernel.makeRoot(1, 1), /root already/);
  equal(kernel.root!.expiresAtUs, Infinity);
  equal(kernel.nextExpiryUs, Infinity);
  deepEqual(kernel.expire(1e18), []);
  notEqual(kernel.present(0, root), undefined);

  const same = { next: () => ({ low: 1, high: 0 }) } as unknown as TagGenerator;
  const limits = { capabilitiesMax: 9, capabilitiesKept: 0, depthMax: 4 };
  const broken = new CapabilityKernel(bitSets, same, limits);
  const only = broken.makeRoot(0, 1);
  throws(() => broken.derive(0, only, wanted), /issued twice/);
});

Deno.test("quota of what has drained goes to the nearest that is live, or drains itself", () => {
  const { kernel, root } = makeKernel();
  const derive = (from: unknown, quotaPages: number) => {
    const made = kernel.derive(0, from, { ...wanted, quotaPages });
    ok("capability" in made);
    return made;
  };
  const upper = derive(root, 30);
  const middle = derive(upper.capability, 20);
  const lower = derive(middle.capability, 5);
  equal(kernel.drained(lower.node.slot), undefined, "it is live");
  kernel.revoke(0, upper.capability);
  // The middle one has 15 of its own, and drains first: then the lowest's go to the upper.
  equal(kernel.drained(middle.node.slot), upper.node);
  equal(upper.node.pagesLeft, 25);
  equal(kernel.drained(lower.node.slot), upper.node);
  equal(upper.node.pagesLeft, 30);
  equal(kernel.drained(lower.node.slot), undefined, "once only");
  equal(upper.node.pagesLeft, 30);

  const next = derive(upper.capability, 20);
  const last = derive(next.capability, 5);
  kernel.drop(0, upper.capability);
  // Nobody live has more than before, as long as one above drains itself.
  equal(kernel.drained(last.node.slot), undefined);
  equal(next.node.pagesLeft, 20);
  equal(kernel.drained(next.node.slot), undefined);
  equal(kernel.drained(upper.node.slot), kernel.root);
  equal(kernel.root!.pagesLeft, QUOTA);
});
