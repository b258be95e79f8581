/** Runs a compiled classifier over frames in packet memory, wherever one wants them. */

import {
  type Batch,
  BATCH_MAX,
  batchAt,
  frameOffset,
  makePacketMemory,
  PAGE_BYTES,
  RECEIVE_BATCH_OFFSET,
  TABLES_BYTES,
  TABLES_OFFSET,
  wasmPagesOf,
} from "../../../../caps/memory/memory.ts";
import type {
  WasmPatch,
  WasmProgram,
} from "../../../../caps/driver/program.ts";

const FRAME_COUNT = 16;
const memory = makePacketMemory(FRAME_COUNT);
const batch: Batch = batchAt(memory, RECEIVE_BATCH_OFFSET);

/** Pages of the memory that {@link load} runs programs in. */
export const MEMORY_PAGES: number = wasmPagesOf(memory);

type BatchFunction = (batch: number, count: number) => void;
type PermitFunction = (batch: number, count: number, slot: number) => void;

/** What a program's functions say about frames. */
export interface Loaded {
  /** The slots of frames, all in one batch, with `garbage` around each. */
  classify(frames: readonly Uint8Array[], garbage: number): number[];
  /** Classifies a frame that ends where memory ends: a load beyond it traps. */
  classifyAtEnd(frame: Uint8Array): number;
  /** What `permit` writes. */
  permit(frames: readonly Uint8Array[], slot: number): number[];
  /** What `permit` writes for a frame that ends where memory ends. */
  permitAtEnd(frame: Uint8Array, slot: number): number;
}

/** Instantiates a program. Tables of the one before it are overwritten with garbage. */
export function load(program: WasmProgram): Loaded {
  return loadModule(new WebAssembly.Module(program.module));
}

/** Loads a module that was compiled already. */
export function loadModule(module: WebAssembly.Module): Loaded {
  memory.bytes.fill(0xa5, TABLES_OFFSET, TABLES_OFFSET + TABLES_BYTES);
  const { exports } = new WebAssembly.Instance(module, {
    env: { memory: memory.wasm },
  });
  const classify = exports.classify as BatchFunction;
  const permit = exports.permit as PermitFunction;
  return {
    classify(frames, garbage) {
      return inBatches(frames, garbage, (count) => {
        classify(batch.address, count);
      });
    },
    classifyAtEnd(frame) {
      placeAtEnd(frame);
      classify(batch.address, 1);
      return batch.slot[0]!;
    },
    permit(frames, slot) {
      return inBatches(frames, 0xff, (count) => {
        permit(batch.address, count, slot);
      });
    },
    permitAtEnd(frame, slot) {
      placeAtEnd(frame);
      permit(batch.address, 1, slot);
      return batch.slot[0]!;
    },
  };
}

/** Changes the tables of the program that was loaded last. */
export function patch(words: WasmPatch): void {
  const view = new DataView(memory.bytes.buffer);
  for (let at = 0; at < words.length; at += 2) {
    view.setUint32(words[at]!, words[at + 1]!, true);
  }
}

function inBatches(
  frames: readonly Uint8Array[],
  garbage: number,
  run: (count: number) => void,
): number[] {
  const slots: number[] = [];
  memory.bytes.fill(garbage, frameOffset(0));
  for (let at = 0; at < frames.length; at += BATCH_MAX) {
    const some = frames.slice(at, at + BATCH_MAX);
    // One frame behind the other, some bytes of garbage apart.
    let offset = frameOffset(0) + 7;
    some.forEach((frame, index) => {
      memory.bytes.set(frame, offset);
      batch.offset[index] = offset;
      batch.length[index] = frame.length;
      offset += frame.length + 9;
    });
    if (offset > frameOffset(0) + FRAME_COUNT * PAGE_BYTES) {
      throw new Error("the harness has no room for so many frames");
    }
    batch.slot.fill(0xdeadbeef);
    run(some.length);
    slots.push(...batch.slot.subarray(0, some.length));
    if (some.length < BATCH_MAX && batch.slot[some.length] !== 0xdeadbeef) {
      throw new Error("the program wrote beyond its batch");
    }
  }
  return slots;
}

function placeAtEnd(frame: Uint8Array): void {
  const offset = memory.bytes.length - frame.length;
  memory.bytes.set(frame, offset);
  batch.offset[0] = offset;
  batch.length[0] = frame.length;
  batch.slot[0] = 0xdeadbeef;
}
