import assert from "node:assert/strict";
import {
  either,
  ipv4,
  ipv6,
} from "../../../../services/filter/grant/builder.ts";
import type { Grant } from "../../../../services/filter/grant/grant.ts";
import { classify } from "../../../../services/filter/tree/reference.ts";
import {
  type GrantNode,
  mergeTree,
} from "../../../../services/filter/tree/merge.ts";
import { emitWasm } from "../../../../services/filter/wasm/emit.ts";
import { witness } from "../../../arbitraries/witness.ts";
import { load, MEMORY_PAGES } from "./wasm_harness.ts";

function leaf(slot: number, grant: Grant): GrantNode {
  return { slot, grant, children: [] };
}

function assertAgree(
  roots: readonly GrantNode[],
  frames: readonly Uint8Array[],
): void {
  const loaded = load(emitWasm(mergeTree(roots), [], MEMORY_PAGES));
  frames.forEach((frame) => {
    assert.equal(
      loaded.classifyAtEnd(frame),
      classify(roots, frame, 0, frame.length),
      frame.toHex(),
    );
  });
}

/** The frame with each of 256 values at `at`. */
function everyByte(frame: Uint8Array, at: number): Uint8Array[] {
  return Array.from({ length: 256 }, (_, value) => frame.with(at, value));
}

Deno.test("emitWasm() agrees on every first byte of an IP header", () => {
  const v4 = ipv4().grant;
  const v6 = ipv6().grant;
  const roots = [leaf(1, v4), leaf(2, v6)];
  for (const grant of [v4, v6]) {
    const frame = new Uint8Array(90);
    frame.set(witness(grant[0]!));
    assertAgree(roots, everyByte(frame, 14));
  }
});

Deno.test("emitWasm() agrees on every protocol and next header, and on every byte of an extension's length", () => {
  const roots = [
    leaf(1, ipv4().udp().grant),
    leaf(2, either(ipv6().udp(), ipv6().protocol(59))),
    leaf(3, ipv6().fragments().protocol(6).grant),
  ];
  const v4 = witness(ipv4().udp().grant[0]!);
  const v6 = new Uint8Array(2200).fill(17);
  v6.set(witness(ipv6().udp().grant[0]!));
  assertAgree(roots, everyByte(v4, 23));
  assertAgree(roots, everyByte(v6, 20));
  for (const extension of [0, 43, 44, 51, 60, 135]) {
    assertAgree(roots, everyByte(v6.with(20, extension), 55));
    assertAgree(roots, everyByte(v6.with(20, extension), 54));
  }
});

Deno.test("emitWasm() keeps a child's range that begins or ends at its parent's value", () => {
  const dns = ipv4().udp().dstPort(53);
  const ranges = [[53, 80], [7, 53], [54, 80], [7, 52]] as const;
  const frame = witness(dns.grant[0]!);
  for (const [low, high] of ranges) {
    const children = [leaf(2, ipv4().udp().dstPort(low, high).grant)];
    assertAgree([{ slot: 1, grant: dns.grant, children }], [frame]);
  }
});

Deno.test("emitWasm() agrees on every address and port beside those of 64 conjunctions with children", () => {
  const ports = Array.from({ length: 64 }, (_, at) => 1000 + at * 3);
  const many = either(
    ...ports.map((port) => ipv4().udp().dstPort(port, port + 1)),
  );
  const roots: GrantNode[] = [{
    slot: 1,
    grant: many,
    children: [
      leaf(2, ipv4().dst("10.77.0.2").grant),
      leaf(3, ipv4().dst("10.77.0.3").grant),
    ],
  }];
  const frame = witness(ipv4().udp().dst("10.77.0.2").dstPort(1001).grant[0]!);
  assertAgree(roots, [...everyByte(frame, 33), ...everyByte(frame, 37)]);
});
