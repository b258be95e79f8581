import assert from "node:assert/strict";
import fc from "fast-check";
import wabt from "wabt";
import { ipv4 } from "../../../../services/filter/grant/builder.ts";
import type { Grant } from "../../../../services/filter/grant/grant.ts";
import {
  classify,
  matches,
} from "../../../../services/filter/tree/reference.ts";
import {
  FilterLimitError,
  type GrantNode,
  mergeTree,
} from "../../../../services/filter/tree/merge.ts";
import { emitWasm } from "../../../../services/filter/wasm/emit.ts";
import { anyFrame } from "../../../arbitraries/frames.ts";
import { framesFor, grantsOf } from "../../../arbitraries/grant_frames.ts";
import {
  derivationArbitrary,
  grantArbitrary,
} from "../../../arbitraries/grants.ts";
import { testProperty } from "../../../property.ts";
import { load, MEMORY_PAGES } from "./wasm_harness.ts";

testProperty(
  "emitWasm() decides as the interpreter, whatever lies around a frame",
  { runs: 600, file: import.meta.url },
  fc.property(
    derivationArbitrary.chain((roots) =>
      fc.tuple(
        fc.constant(roots),
        fc.array(fc.oneof(framesFor(grantsOf(roots)), anyFrame()), {
          minLength: 1,
          maxLength: 40,
        }),
        fc.nat(255),
      )
    ),
    ([roots, frames, garbage]) => {
      const loaded = load(emitWasm(mergeTree(roots), [], MEMORY_PAGES));
      const expected = frames.map((frame) =>
        classify(roots, frame, 0, frame.length)
      );
      const hex = frames.map((frame) => frame.toHex()).join("\n");
      assert.deepEqual(loaded.classify(frames, garbage), expected, hex);
      assert.deepEqual(loaded.classify(frames, garbage ^ 0xff), expected, hex);
      assert.deepEqual(
        frames.map((frame) => loaded.classifyAtEnd(frame)),
        expected,
        hex,
      );
    },
  ),
);

testProperty(
  "emitWasm() decides as the interpreter on frames cut at every length",
  { runs: 150, file: import.meta.url },
  fc.property(
    derivationArbitrary.chain((roots) =>
      fc.tuple(fc.constant(roots), framesFor(grantsOf(roots)))
    ),
    ([roots, frame]) => {
      const loaded = load(emitWasm(mergeTree(roots), [], MEMORY_PAGES));
      for (let length = 0; length <= frame.length; length++) {
        assert.equal(
          loaded.classifyAtEnd(frame.subarray(0, length)),
          classify(roots, frame, 0, length),
          `${length} bytes of ${frame.toHex()}`,
        );
      }
    },
  ),
);

testProperty(
  "permit() lets through what the slot's send grant matches, and nothing for other slots",
  { runs: 300, file: import.meta.url },
  fc.property(
    fc.array(grantArbitrary, { minLength: 1, maxLength: 12 }).chain((grants) =>
      fc.tuple(
        fc.constant(grants),
        fc.array(framesFor(grants), { minLength: 1, maxLength: 16 }),
      )
    ),
    ([grants, frames]) => {
      const sends = grants.map((grant, index) => ({
        slot: 1 + index * 3,
        grant,
      }));
      const loaded = load(emitWasm({ branches: [] }, sends, MEMORY_PAGES));
      for (const { slot, grant } of sends) {
        const expected = frames.map((frame) =>
          matches(grant, frame, 0, frame.length) ? slot : 0
        );
        assert.deepEqual(loaded.permit(frames, slot), expected);
        assert.deepEqual(
          frames.map((frame) => loaded.permitAtEnd(frame, slot)),
          expected,
        );
        const nobody = frames.map(() => 0);
        assert.deepEqual(loaded.permit(frames, slot + 1), nobody);
      }
    },
  ),
);

testProperty(
  "emitWasm() gives equal bytes for equal trees, and wabt accepts and prints them",
  { runs: 60, file: import.meta.url },
  fc.asyncProperty(derivationArbitrary, async (roots) => {
    const sends = grantsOf(roots).map((grant, index) => ({
      slot: index + 1,
      grant,
    }));
    const emit = () => emitWasm(mergeTree(roots), sends, MEMORY_PAGES).module;
    const bytes = emit();
    assert.deepEqual(emit(), bytes);
    const { readWasm } = await wabt();
    const module = readWasm(bytes, { threads: true, readDebugNames: false });
    // Its types leave out that validate() takes the features, too.
    const validate: (features: { threads: boolean }) => void = module.validate;
    validate.call(module, { threads: true });
    const text = module.toText({ foldExprs: false, inlineExport: false });
    assert.match(text, /\(export "classify" \(func 0\)\)/);
    module.destroy();
  }),
);

/** As many exact flows as wanted, one slot each, with a frame of each. */
function manyFlows(count: number): { grant: Grant; frame: Uint8Array }[] {
  return Array.from({ length: count }, (_, index) => {
    const address = `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`;
    const grant = ipv4().tcp().src(address).dst("10.77.0.2")
      .srcPort(1024 + index % 60000).dstPort(443 + index % 2).grant;
    const frame = new Uint8Array(54);
    const view = new DataView(frame.buffer);
    view.setUint16(12, 0x0800);
    view.setUint8(14, 0x45);
    view.setUint8(23, 6);
    frame.set(address.split(".").map(Number), 26);
    frame.set([10, 77, 0, 2], 30);
    view.setUint16(34, 1024 + index % 60000);
    view.setUint16(36, 443 + index % 2);
    return { grant, frame };
  });
}

Deno.test("emitWasm() tells 5,000 flows apart with one table, and their children", () => {
  const flows = manyFlows(5000);
  const child: GrantNode = {
    slot: 900001,
    grant: ipv4().dst("10.77.0.2").grant,
    children: [],
  };
  const roots = flows.map(({ grant }, index) => ({
    slot: index + 1,
    grant,
    children: index % 1000 === 3 ? [child] : [],
  }));
  const loaded = load(emitWasm(mergeTree(roots), [], MEMORY_PAGES));
  const frames = flows.map(({ frame }) => frame);
  assert.deepEqual(
    loaded.classify(frames, 0),
    flows.map((_, index) => index % 1000 === 3 ? 900001 : index + 1),
  );
  const others = frames.map((frame) =>
    frame.map((byte, at) => at === 26 ? 11 : byte)
  );
  assert.deepEqual(loaded.classify(others, 0), others.map(() => 0));
});

Deno.test("emitWasm() refuses more flows than its tables hold, and slots given twice", () => {
  const fields = [
    { from: "frame", offset: 0, width: 4, mask: 0xffffffff },
    { from: "frame", offset: 4, width: 4, mask: 0xffffffff },
  ] as const;
  const entries = Array.from({ length: 300000 }, (_, index) => ({
    key: [1, index],
    accept: { slot: 1 },
  }));
  assert.throws(
    () =>
      emitWasm(
        { branches: [{ kind: "flows", fields, entries }] },
        [],
        MEMORY_PAGES,
      ),
    FilterLimitError,
  );
  const grant = ipv4().grant;
  assert.throws(
    () =>
      emitWasm(
        { branches: [] },
        [{ slot: 1, grant }, { slot: 1, grant }],
        MEMORY_PAGES,
      ),
    FilterLimitError,
  );
});
