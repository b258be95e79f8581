import assert from "node:assert/strict";
import fc from "fast-check";
import type {
  KernelMapChange,
  KernelProgram,
} from "../../../../caps/driver/program.ts";
import { hasRights, RIGHT_SEND } from "../../../../caps/kernel/rights.ts";
import { capabilityOf } from "../../../../caps/kernel/capability.ts";
import {
  classify,
  matches,
} from "../../../../services/filter/tree/reference.ts";
import { runEbpf } from "../../../oracles/ebpf_vm.ts";
import { KernelOracle } from "../../../oracles/kernel_ebpf.ts";
import { testProperty } from "../../../property.ts";
import {
  CompilationModel,
  roundsArbitrary,
  textRoundsArbitrary,
} from "./compilation_model.ts";
import {
  load,
  type Loaded,
  MEMORY_PAGES,
  patch,
} from "../wasm/wasm_harness.ts";

const file = import.meta.url;
const target = {
  memoryPages: MEMORY_PAGES,
  kernel: { unclaimed: "kernel" },
} as const;

/** The tags that frames must get, by the interpreter. */
function tagsOf(
  model: CompilationModel,
  frames: readonly Uint8Array[],
): bigint[] {
  const tags = new Map<number, bigint>([[0, 0n]]);
  for (const { slot, tag } of model.live) tags.set(slot, capabilityOf(tag));
  const { roots } = model;
  return frames.map((frame) =>
    tags.get(classify(roots, frame, 0, frame.length))!
  );
}

testProperty(
  "Wasm that is patched decides as the interpreter, whatever comes and goes",
  { runs: 60, file },
  fc.property(fc.oneof(roundsArbitrary, textRoundsArbitrary), (rounds) => {
    const model = new CompilationModel({ memoryPages: MEMORY_PAGES });
    let loaded: Loaded | undefined;
    for (const steps of rounds) {
      const outcome = model.round(steps);
      if ("programs" in outcome) loaded = load(outcome.programs.wasm);
      else patch(outcome.patches.wasm);
      const frames = model.frames().slice(-200);
      const { roots } = model;
      assert.deepEqual(
        loaded!.classify(frames, 0),
        frames.map((frame) => classify(roots, frame, 0, frame.length)),
      );
      const few = frames.slice(-12);
      const slots = new Set(model.live.map(({ slot }) => slot));
      for (const { slot, sends, rights } of model.live.slice(-12)) {
        const may = hasRights(rights, RIGHT_SEND);
        assert.deepEqual(
          loaded!.permit(few, slot),
          few.map((frame) =>
            may && matches(sends, frame, 0, frame.length) ? slot : 0
          ),
        );
      }
      for (let gone = 1; gone < 140; gone++) {
        if (slots.has(gone)) continue;
        assert.ok(loaded!.permit(few, gone).every((slot) => slot === 0));
      }
    }
  }),
);

/** A program's maps after changes, as the machine of the tests reads them. */
function changed(
  program: KernelProgram,
  changes: readonly KernelMapChange[],
): KernelProgram {
  const maps = program.maps.map((map, index) => {
    if (map.kind !== "flows") return map;
    const entries = new Map<string, Uint8Array>();
    const stride = map.keyBytes + 8;
    for (let at = 0; at < map.entries.length; at += stride) {
      const entry = map.entries.subarray(at, at + stride);
      entries.set(entry.subarray(0, map.keyBytes).toHex(), entry);
    }
    for (const { map: which, key, value } of changes) {
      if (which !== index) continue;
      if (value === undefined) assert.ok(entries.delete(key.toHex()));
      else entries.set(key.toHex(), Uint8Array.of(...key, ...value));
    }
    assert.ok(entries.size <= map.entriesMax);
    const bytes = new Uint8Array(entries.size * stride);
    [...entries.values()].forEach((entry, at) => bytes.set(entry, at * stride));
    return { ...map, entries: bytes };
  });
  return { ...program, maps };
}

testProperty(
  "eBPF whose maps are changed decides as the interpreter, whatever comes and goes",
  { runs: 25, file },
  fc.property(roundsArbitrary, (rounds) => {
    const model = new CompilationModel(target);
    let program: KernelProgram | undefined;
    for (const steps of rounds) {
      const outcome = model.round(steps);
      if ("programs" in outcome) program = outcome.programs.kernel!;
      else program = changed(program!, outcome.patches.kernel!);
      const frames = model.frames().slice(-24);
      const tags = frames.map((frame) => runEbpf(program!, frame).tag);
      assert.deepEqual(tags, tagsOf(model, frames));
    }
  }),
);

Deno.test("a flow that others were derived from goes as a whole when they have gone before it", () => {
  const model = new CompilationModel(target);
  const { frames, flows } = model.deriveUnderFlow(20);
  let program = model.compileNow().kernel!;
  const outcomes: string[] = [];
  for (const op of ["revoke", "drop"] as const) {
    const outcome = model.round([{ op, which: flows }]);
    outcomes.push(Object.keys(outcome)[0]!);
    if ("programs" in outcome) program = outcome.programs.kernel!;
    else program = changed(program, outcome.patches.kernel!);
    const tags = frames.map((frame) => runEbpf(program, frame).tag);
    assert.deepEqual(tags, tagsOf(model, frames));
  }
  assert.deepEqual(outcomes, ["patches", "programs"]);
});

const inKernel = fc.property(roundsArbitrary, (rounds) => {
  const model = new CompilationModel(target);
  let kernel: KernelOracle | undefined;
  try {
    for (const steps of rounds) {
      const outcome = model.round(steps);
      if ("programs" in outcome) {
        kernel?.[Symbol.dispose]();
        kernel = new KernelOracle(outcome.programs.kernel!, { socket: true });
      } else kernel!.update(outcome.patches.kernel!);
      // It takes no frame without an Ethernet header.
      const frames = model.frames().filter(({ length }) => length >= 14)
        .slice(-60);
      const tags = frames.map((frame) => kernel!.run(frame).tag);
      assert.deepEqual(tags, tagsOf(model, frames));
    }
  } finally {
    kernel?.[Symbol.dispose]();
  }
});
testProperty(
  "the kernel's program whose maps are changed decides as the interpreter, whatever comes and goes",
  { runs: 25, file, needs: ["linux", "root"] },
  inKernel,
);
