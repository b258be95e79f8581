import assert from "node:assert/strict";
import fc from "fast-check";
import { ethernet } from "../../../../services/filter/grant/builder.ts";
import type { Grant } from "../../../../services/filter/grant/grant.ts";
import {
  classify,
  matches,
} from "../../../../services/filter/tree/reference.ts";
import { readIpHeader } from "../../../../services/filter/tree/ip_header.ts";
import {
  SOCKET_INSTRUCTIONS_MAX,
  SocketCover,
} from "../../../../services/filter/classic/cover.ts";
import type { GrantNode } from "../../../../services/filter/tree/merge.ts";
import { witness } from "../../../arbitraries/witness.ts";
import { framesFor, grantsOf } from "../../../arbitraries/grant_frames.ts";
import {
  conjunctionArbitrary,
  derivationArbitrary,
} from "../../../arbitraries/grants.ts";
import { testWith } from "../../../needs.ts";
import { KernelSocketFilter } from "../../../oracles/kernel_socket_filter.ts";
import { testProperty } from "../../../property.ts";

/** A property of what the kernel does, where there is one. */
function testOnLinux<T>(
  name: string,
  runs: number,
  property: fc.IRawProperty<T>,
): void {
  const file = import.meta.url;
  testProperty(name, { runs, file, needs: ["linux"] }, property);
}

const node = (slot: number, grant: Grant): GrantNode => ({
  slot,
  grant,
  children: [],
});

/** Grants, and frames that are about them. */
const derivationWithFrames = derivationArbitrary.chain((roots) =>
  fc.tuple(
    fc.constant(roots),
    fc.array(framesFor(grantsOf(roots)), { minLength: 1, maxLength: 24 }),
  )
);

testOnLinux(
  "with a cover's program on a socket the kernel refuses no frame that somebody receives or observes",
  300,
  fc.property(
    derivationWithFrames,
    fc.array(conjunctionArbitrary, { maxLength: 2 }),
    ([roots, frames], observed) => {
      using kernel = new KernelSocketFilter(
        new SocketCover(roots, [observed]).emit(),
      );
      for (const frame of frames) {
        if (frame.length === 0) continue;
        const wanted = classify(roots, frame, 0, frame.length) !== 0 ||
          matches(observed, frame, 0, frame.length);
        if (wanted) assert.ok(kernel.takes(frame), `${frame}`);
      }
    },
  ),
);

/** Whether what a frame says of IP is so, without extension headers. */
function isSoundIp(frame: Uint8Array): boolean {
  const typeAt = [0x8100, 0x88a8].includes(word(frame, 12)) ? 16 : 12;
  const type = word(frame, typeAt);
  if (type !== 0x0800 && type !== 0x86dd) return true;
  const version = type === 0x0800 ? "ipv4" : "ipv6";
  const header = readIpHeader(version, frame, typeAt + 2);
  return header !== undefined &&
    (version === "ipv4" ? true : header.end === typeAt + 2 + 40);
}

function word(frame: Uint8Array, at: number): number {
  return (frame[at] ?? 0) * 256 + (frame[at + 1] ?? 0);
}

testOnLinux(
  "of frames with sound IP headers a cover takes exactly those of its grants",
  300,
  fc.property(
    fc.array(conjunctionArbitrary, { minLength: 1, maxLength: 4 }).chain(
      (grant) =>
        fc.tuple(
          fc.constant(grant),
          fc.array(framesFor([grant]), { minLength: 1, maxLength: 24 }),
        ),
    ),
    ([grant, frames]) => {
      using kernel = new KernelSocketFilter(
        new SocketCover([node(1, grant)]).emit(),
      );
      for (const frame of frames) {
        if (frame.length === 0 || !isSoundIp(frame)) continue;
        const is = matches(grant, frame, 0, frame.length);
        assert.equal(kernel.takes(frame), is, `${frame}`);
      }
    },
  ),
);

const OURS = "02:00:00:00:00:07";
const port = (mac: string, number: number) =>
  ethernet().dst(mac).ipv4().udp().dstPort(number).grant;

testWith(
  ["linux"],
  "more grants than a socket's program has room for are taken by address and type, and too many of those are all taken",
  () => {
    const grants = (count: number, mac: (index: number) => string) =>
      Array.from(
        { length: count },
        (_, index) => node(index + 1, port(mac(index), index)),
      );
    const takes = (nodes: readonly GrantNode[], other: Grant) => {
      const filter = new SocketCover(nodes).emit();
      const count = filter.instructions.length / 8;
      assert.ok(count <= SOCKET_INSTRUCTIONS_MAX, `${count} instructions`);
      using kernel = new KernelSocketFilter(filter);
      for (const { grant } of nodes) {
        assert.ok(kernel.takes(witness(grant[0]!)));
      }
      return kernel.takes(witness(other[0]!));
    };
    const few = grants(20, () => OURS);
    const many = grants(2000, () => OURS);
    const spread = grants(2000, (index) => {
      const low = (index & 255).toString(16).padStart(2, "0");
      return `02:00:00:00:0${index >> 8}:${low}`;
    });
    const otherPort = port(OURS, 5000);
    const otherType = ethernet().dst(OURS).etherType(0x88b5).grant;
    assert.equal(takes(few, otherPort), false);
    assert.equal(takes(many, otherPort), true);
    assert.equal(takes(many, otherType), false);
    assert.equal(takes(spread, otherType), true);
  },
);

testWith(["linux"], "without a grant a socket takes nothing", () => {
  using kernel = new KernelSocketFilter(new SocketCover([]).emit());
  assert.equal(kernel.takes(new Uint8Array(60)), false);
});
