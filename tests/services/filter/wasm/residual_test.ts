import assert from "node:assert/strict";
import fc from "fast-check";
import wabt from "wabt";
import { ipv4 } from "../../../../services/filter/grant/builder.ts";
import type { Grant } from "../../../../services/filter/grant/grant.ts";
import {
  classify,
  matches,
} from "../../../../services/filter/tree/reference.ts";
import { compileText } from "../../../../services/filter/language/compile.ts";
import { matchesText } from "../../../../services/filter/language/interpret.ts";
import {
  all,
  any,
  compare,
  type Test,
  type Value,
} from "../../../../services/filter/language/ir.ts";
import { PROTOCHAIN_STEPS_MAX } from "../../../../services/filter/language/limits.ts";
import { mergeTree } from "../../../../services/filter/tree/merge.ts";
import { emitWasm } from "../../../../services/filter/wasm/emit.ts";
import { compileFilterWasm } from "../../../../services/filter/wasm/filter_module.ts";
import { anyFrame } from "../../../arbitraries/frames.ts";
import { framesFor, grantsOf } from "../../../arbitraries/grant_frames.ts";
import { linkedFrame } from "../../../arbitraries/linked_frames.ts";
import {
  likelyPacket,
  programArbitrary,
} from "../../../arbitraries/programs.ts";
import {
  residualsArbitrary,
  textArbitrary,
} from "../../../arbitraries/residuals.ts";
import { testProperty } from "../../../property.ts";
import { load, MEMORY_PAGES } from "./wasm_harness.ts";

const file = import.meta.url;
const ethernetFrame = fc.oneof(
  { weight: 4, arbitrary: linkedFrame("ethernet") },
  { weight: 1, arbitrary: anyFrame() },
);

testProperty(
  "compileFilterWasm() matches as the text's interpreter, frames cut at every length",
  { runs: 1200, file },
  fc.property(
    textArbitrary,
    fc.array(ethernetFrame, { minLength: 1, maxLength: 6 }),
    fc.nat(255),
    ({ program }, frames, garbage) => {
      const loaded = load(compileFilterWasm(program, MEMORY_PAGES));
      const expected = frames.map((frame) =>
        matchesText(program, frame) ? 1 : 0
      );
      const hex = frames.map((frame) => frame.toHex()).join("\n");
      assert.deepEqual(loaded.classify(frames, garbage), expected, hex);
      const [frame] = frames;
      for (let length = 0; length <= frame!.length; length++) {
        assert.equal(
          loaded.classifyAtEnd(frame!.subarray(0, length)),
          matchesText(program, frame!, 0, length) ? 1 : 0,
          `${length} bytes of ${frame!.toHex()}`,
        );
      }
    },
  ),
);

testProperty(
  "compileFilterWasm() matches as the interpreter, whatever the program, packets cut at every length",
  { runs: 2500, file },
  fc.property(
    programArbitrary,
    fc.array(likelyPacket, { minLength: 1, maxLength: 12 }),
    (program, packets) => {
      const loaded = load(compileFilterWasm(program, MEMORY_PAGES));
      const all = [
        ...packets,
        ...packets[0]!.keys().map((length) => packets[0]!.subarray(0, length)),
      ];
      assert.deepEqual(
        all.map((packet) => loaded.classifyAtEnd(packet)),
        all.map((packet) => matchesText(program, packet) ? 1 : 0),
      );
    },
  ),
);

Deno.test("a load from a place that a variable says is made again when that is set", () => {
  const at = { kind: "variable", variable: 0 } as const;
  const byte = (base: Value | undefined, offset: number): Value => ({
    kind: "load",
    width: 1,
    base,
    offset,
  });
  const set = (value: Value): Test => ({ kind: "assign", variable: 0, value });
  const test = all(
    set(byte(undefined, 0)),
    any(
      compare(byte(at, 0), "=", 9),
      all(set(byte(undefined, 1)), compare(byte(at, 0), "=", 7)),
    ),
  );
  const program = { linkType: "ethernet", test, variables: 1 } as const;
  const { classifyAtEnd } = load(compileFilterWasm(program, MEMORY_PAGES));
  assert.equal(classifyAtEnd(Uint8Array.of(2, 3, 1, 7)), 1);
  assert.equal(classifyAtEnd(Uint8Array.of(2, 3, 7, 1)), 0);
});

Deno.test("a computed place is checked unless every way to it has checked as far", () => {
  const base: Value = { kind: "load", width: 1, base: undefined, offset: 0 };
  const byte = (offset: number): Value => ({
    kind: "load",
    width: 1,
    base,
    offset,
  });
  const second: Value = { kind: "load", width: 1, base: undefined, offset: 1 };
  const test = all(
    any(
      all(compare(second, "=", 1), compare(byte(0), ">=", 1)),
      compare(byte(4), ">=", 1),
    ),
    compare(byte(3), "=", 0),
  );
  const program = { linkType: "ethernet", test, variables: 0 } as const;
  const { classifyAtEnd } = load(compileFilterWasm(program, MEMORY_PAGES));
  assert.equal(classifyAtEnd(Uint8Array.of(2, 1, 1, 0)), 0);
  assert.equal(classifyAtEnd(Uint8Array.of(2, 1, 1, 0, 0, 0)), 1);
});

Deno.test("a walk over headers ends where the interpreter's does", () => {
  const program = compileText("ip6 protochain 6", { linkType: "ethernet" });
  const loaded = load(compileFilterWasm(program, MEMORY_PAGES));
  const walk = (headers: number) => {
    const frame = new Uint8Array(54 + 8 * headers + 8);
    frame.set([0x86, 0xdd, 0x60], 12);
    frame[54 + 8 * (headers - 1)] = 6;
    const slot = loaded.classifyAtEnd(frame);
    assert.equal(slot, matchesText(program, frame) ? 1 : 0);
    return slot;
  };
  assert.equal(walk(PROTOCHAIN_STEPS_MAX), 1);
  assert.equal(walk(PROTOCHAIN_STEPS_MAX + 1), 0);
});

testProperty(
  "emitWasm() decides as the interpreter on grants with filter text",
  { runs: 400, file },
  fc.property(
    residualsArbitrary.chain((roots) =>
      fc.tuple(
        fc.constant(roots),
        fc.array(fc.oneof(framesFor(grantsOf(roots)), ethernetFrame), {
          minLength: 1,
          maxLength: 24,
        }),
        fc.nat(255),
      )
    ),
    ([roots, frames, garbage]) => {
      const loaded = load(emitWasm(mergeTree(roots), [], MEMORY_PAGES));
      const owners = (some: readonly Uint8Array[]) =>
        some.map((frame) => classify(roots, frame, 0, frame.length));
      const hex = frames.map((frame) => frame.toHex()).join("\n");
      assert.deepEqual(loaded.classify(frames, garbage), owners(frames), hex);
      const [frame] = frames;
      const cut = Array.from(
        { length: Math.min(frame!.length + 1, 128) },
        (_, length) => frame!.subarray(0, length),
      );
      assert.deepEqual(
        cut.map((one) => loaded.classifyAtEnd(one)),
        owners(cut),
        frame!.toHex(),
      );
    },
  ),
);

testProperty(
  "emitWasm() gives equal bytes for equal texts, and wabt accepts them",
  { runs: 40, file },
  fc.asyncProperty(
    residualsArbitrary,
    textArbitrary,
    async (roots, { text, program }) => {
      const again = compileText(text, { linkType: "ethernet" });
      const bytes = compileFilterWasm(program, MEMORY_PAGES).module;
      assert.deepEqual(compileFilterWasm(again, MEMORY_PAGES).module, bytes);
      const tree = () => emitWasm(mergeTree(roots), [], MEMORY_PAGES).module;
      const merged = tree();
      const copies = emitWasm(
        mergeTree(structuredClone(roots)),
        [],
        MEMORY_PAGES,
      ).module;
      assert.deepEqual(copies, merged);
      for (const one of [bytes, merged]) {
        const { readWasm } = await wabt();
        const module = readWasm(one, { threads: true, readDebugNames: false });
        const validate: (features: { threads: boolean }) => void =
          module.validate;
        validate.call(module, { threads: true });
        module.destroy();
      }
    },
  ),
);

testProperty(
  "500 grants with filter text, classified at once, decide as each on its own",
  { runs: 6, file },
  fc.property(
    fc.array(textArbitrary, { minLength: 40, maxLength: 80 }),
    fc.array(fc.tuple(fc.nat(499), fc.nat(255), fc.nat(90)), {
      minLength: 60,
      maxLength: 60,
    }),
    (texts, packets) => {
      const roots = Array.from({ length: 500 }, (_, index) => ({
        slot: index + 1,
        grant: portGrant(index),
        residual: texts[index % texts.length]!.program,
        children: [],
      }));
      const loaded = load(emitWasm(mergeTree(roots), [], MEMORY_PAGES));
      const frames = packets.map(([index, fill, length]) =>
        portFrame(index, fill).subarray(0, 14 + length)
      );
      const expected = frames.map((frame) => {
        const owners = roots.filter(({ grant, residual }) =>
          matches(grant, frame, 0, frame.length) &&
          matchesText(residual, frame)
        );
        assert.ok(owners.length <= 1);
        return owners[0]?.slot ?? 0;
      });
      assert.deepEqual(loaded.classify(frames, 0), expected);
    },
  ),
);

/** UDP ports, and every fifth an exact TCP flow. */
function portGrant(index: number): Grant {
  return index % 5 === 0
    ? ipv4().tcp().src("10.0.0.1").dst("10.0.0.2").srcPort(index).dstPort(443)
      .grant
    : ipv4().udp().dstPort(1000 + index).grant;
}

/** A frame of grant `index`, `fill` where nothing is asked. */
function portFrame(index: number, fill: number): Uint8Array {
  const frame = new Uint8Array(104).fill(fill);
  const view = new DataView(frame.buffer);
  const isTcp = index % 5 === 0;
  view.setUint16(12, 0x0800);
  view.setUint8(14, 0x45);
  view.setUint16(20, 0);
  view.setUint8(23, isTcp ? 6 : 17);
  frame.set([10, 0, 0, 1, 10, 0, 0, 2], 26);
  view.setUint16(34, isTcp ? index : 53);
  view.setUint16(36, isTcp ? 443 : 1000 + index);
  return frame;
}
