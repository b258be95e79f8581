/**
 * Says whose each packet of a batch is: by the tag that the kernel's program
 * wrote in front of it, where that names a live capability, and by the Wasm
 * classifier over packet memory for everything else.
 */

import {
  type Batch,
  type PacketMemory,
  TABLES_BYTES,
  TABLES_OFFSET,
} from "../../caps/memory/memory.ts";
import { SLOT_NONE } from "../../caps/kernel/slots.ts";
import type { WasmPatch, WasmProgram } from "../../caps/driver/program.ts";
import type { TagTable } from "../../caps/kernel/tag_table.ts";

/** The exports of a classifier module (caps/driver/program.ts). */
interface ClassifierExports {
  classify(batch: number, count: number): void;
  permit(batch: number, count: number, slot: number): void;
}

/** The classifier that is installed now. */
export class Classifier {
  readonly #memory: PacketMemory;
  readonly #tags: TagTable;
  readonly #tables: Uint32Array<SharedArrayBuffer>;
  #exports: ClassifierExports | undefined;

  /** Over `memory`, with the live tags in `tags`. Nothing is anybody's until {@link install}. */
  constructor(memory: PacketMemory, tags: TagTable) {
    this.#memory = memory;
    this.#tags = tags;
    this.#tables = new Uint32Array(
      memory.bytes.buffer,
      TABLES_OFFSET,
      TABLES_BYTES / 4,
    );
  }

  /** Puts `program` in place of the one before, between two packets. */
  install(program: WasmProgram | WebAssembly.Module): void {
    const module = program instanceof WebAssembly.Module
      ? program
      : new WebAssembly.Module(program.module);
    const instance = new WebAssembly.Instance(module, {
      env: { memory: this.#memory.wasm },
    });
    this.#exports = instance.exports as unknown as ClassifierExports;
  }

  /**
   * Changes the tables of the program that is installed, between two packets.
   * @throws {RangeError} when that is not all in the tables.
   */
  patch(words: WasmPatch): void {
    for (let at = 0; at + 1 < words.length; at += 2) {
      const offset = words[at]! - TABLES_OFFSET;
      if (offset < 0 || offset >= TABLES_BYTES || (offset & 3) !== 0) {
        throw new RangeError(
          `classifier: ${words[at]} is no place of a word in its tables`,
        );
      }
      this.#tables[offset >>> 2] = words[at + 1]!;
    }
  }

  /** Fills `batch.slot[0..count)`. */
  classify(batch: Batch, count: number): void {
    if (this.#exports === undefined) {
      batch.slot.fill(SLOT_NONE, 0, count);
      return;
    }
    this.#exports.classify(batch.address, count);
  }

  /**
   * Fills `batch.slot[0..count)` from the tags that the NIC found. A tag is a
   * hint: a former holder of the frame could have written it, or its capability
   * may be over. Without a live one the packet is classified here.
   */
  believeTags(batch: Batch, count: number): void {
    for (let i = 0; i < count; i++) {
      const slot = this.#tags.find(batch.tagLow[i]!, batch.tagHigh[i]!);
      if (slot === SLOT_NONE) {
        this.classify(batch, count);
        return;
      }
      batch.slot[i] = slot;
    }
  }

  /** Leaves `slot` in `batch.slot[from..to)` where the frame may be sent under it, 0 elsewhere. */
  permit(batch: Batch, from: number, to: number, slot: number): void {
    if (this.#exports === undefined) batch.slot.fill(SLOT_NONE, from, to);
    else {
      // Each array of a batch has words, so that this moves all of them on by `from`.
      this.#exports.permit(batch.address + 4 * from, to - from, slot);
    }
  }
}
