import assert from "node:assert/strict";
import fc from "fast-check";
import { ethernet } from "../../../../services/filter/grant/builder.ts";
import { FRAME_BYTES_MAX } from "../../../../services/filter/ebpf/limits.ts";
import { Cover } from "../../../../services/filter/ebpf/cover.ts";
import {
  classify,
  matches,
} from "../../../../services/filter/tree/reference.ts";
import type { GrantNode } from "../../../../services/filter/tree/merge.ts";
import { framesFor, grantsOf } from "../../../arbitraries/grant_frames.ts";
import { derivationArbitrary } from "../../../arbitraries/grants.ts";
import { runEbpf } from "../../../oracles/ebpf_vm.ts";
import { testProperty } from "../../../property.ts";
import { unlessTooLarge } from "./within_limits.ts";

const PASS = 2, REDIRECT = 4;
const file = import.meta.url;
const tag = { low: 7, high: 9 };
const TAG = (9n << 32n) | 7n;

/** Whether a frame is for one of these addresses. */
function isFor(
  frame: Uint8Array,
  addresses: readonly (readonly number[])[],
): boolean {
  return addresses.some((address) =>
    address.every((byte, index) => frame[index] === byte)
  );
}

/** Every grant in it of somebody who receives. */
function received(roots: readonly GrantNode[]): GrantNode[] {
  return roots.flatMap((node) => [
    ...(node.slot === 0 ? [] : [node]),
    ...received(node.children),
  ]);
}

testProperty(
  "a cover's program takes every frame that somebody receives, and what nobody does only when it is for one of the cover's addresses",
  { runs: 400, file },
  fc.property(
    derivationArbitrary.chain((roots) =>
      fc.tuple(
        fc.constant(roots),
        fc.array(framesFor(grantsOf(roots)), { minLength: 1, maxLength: 24 }),
      )
    ),
    ([roots, frames]) => {
      const own = received(roots);
      const covered = new Cover(roots);
      const { kernel, cover } = unlessTooLarge(() =>
        covered.emit({ unclaimed: "kernel", tag, why: "" })
      );
      for (const frame of frames) {
        if (frame.length > FRAME_BYTES_MAX) continue;
        const is = matches(covered.grant, frame, 0, frame.length);
        const owner = classify(roots, frame, 0, frame.length);
        if (owner !== 0) assert.ok(is, `${frame} is slot ${owner}'s`);
        const granted = own.some(({ grant }) =>
          matches(grant, frame, 0, frame.length)
        );
        if (is && !granted) assert.ok(isFor(frame, cover.addresses));
        const { action, tag: written } = runEbpf(kernel, frame);
        assert.equal(action, is ? REDIRECT : PASS);
        assert.equal(written, is ? TAG : 0n);
      }
    },
  ),
);

const to = (mac: string) => ethernet().dst(mac);
const node = (slot: number, grant: GrantNode["grant"]): GrantNode => ({
  slot,
  grant,
  children: [],
});

Deno.test("a cover asks for each address once, and keeps what is not for one address", () => {
  const ours = "02:00:00:00:00:07";
  const ports = [1, 2, 3].map((port, index) =>
    node(index + 1, to(ours).ipv4().udp().dstPort(port).grant)
  );
  const who = ethernet().arp().request().target("10.0.0.7").grant;
  const group = to("01:00:5e:00:00:07").ipv4().udp().dstPort(5353).grant;
  const half = ethernet().dst("02:00:00:00:00:00", "ff:ff:ff:00:00:00");
  const some = half.ipv4().grant;
  const cover = new Cover([
    ...ports,
    node(4, who),
    node(5, group),
    node(6, some),
    node(0, to("02:00:00:00:00:08").grant),
  ]);
  assert.deepEqual(cover.grant, [...to(ours).grant, who, group, some].flat());
  assert.ok(cover.takes(to(ours).ipv6().grant));
  assert.ok(!cover.takes(to("02:00:00:00:00:08").grant));
  assert.ok(!cover.takes(ethernet().arp().grant));
});

Deno.test("where the kernel gets nothing, a cover takes everything", () => {
  const roots = [node(1, ethernet().arp().grant)];
  const options = { unclaimed: "drop", tag, why: "" } as const;
  const { kernel, cover } = new Cover(roots).emit(options);
  assert.deepEqual(cover.addresses, []);
  for (const length of [14, 60, 1500]) {
    assert.equal(runEbpf(kernel, new Uint8Array(length)).tag, TAG);
  }
});
