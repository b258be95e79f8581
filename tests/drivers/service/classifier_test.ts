import {
  batchAt,
  frameOffset,
  FRAMES_OFFSET,
  makePacketMemory,
  RECEIVE_BATCH_OFFSET,
  SEND_BATCH_OFFSET,
  TABLES_OFFSET,
  wasmPagesOf,
} from "../../../caps/memory/memory.ts";
import assert from "node:assert/strict";
import { TagTable } from "../../../caps/kernel/tag_table.ts";
import { Classifier } from "../../../drivers/service/classifier.ts";
import type { FlowsBranch } from "../../../services/filter/tree/node.ts";
import { emitWasmTables } from "../../../services/filter/wasm/emit.ts";

const memory = makePacketMemory(16);
const memoryPages = wasmPagesOf(memory);

/** Frames by their first two bytes. */
const flows: FlowsBranch = {
  kind: "flows",
  fields: [{ from: "frame", offset: 0, width: 2, mask: 0xffff }],
  entries: [1, 2, 3, 4, 5, 6].map((value) => ({
    key: [value],
    accept: { slot: value },
  })),
};

Deno.test("a patch is in force for the next batch, whether the module came compiled or not", () => {
  for (const compiled of [false, true]) {
    const { program, tables } = emitWasmTables(
      { branches: [flows] },
      [],
      { memoryPages },
    );
    const classifier = new Classifier(memory, new TagTable(16));
    classifier.install(
      compiled ? new WebAssembly.Module(program.module) : program,
    );
    const batch = batchAt(memory, RECEIVE_BATCH_OFFSET);
    const slots = () => {
      for (let value = 0; value < 9; value++) {
        const offset = frameOffset(value);
        memory.bytes.set([0, value], offset);
        batch.offset[value] = offset;
        batch.length[value] = 60;
      }
      classifier.classify(batch, 9);
      return [...batch.slot.subarray(0, 9)];
    };
    assert.deepEqual(slots(), [0, 1, 2, 3, 4, 5, 6, 0, 0]);
    assert.ok(tables.setFlow(flows, [8], 88));
    tables.deleteFlow(flows, [3]);
    classifier.patch(tables.take());
    assert.deepEqual(slots(), [0, 1, 2, 0, 4, 5, 6, 0, 88]);
  }
});

Deno.test("a patch writes to the tables and nowhere else", () => {
  const classifier = new Classifier(memory, new TagTable(16));
  const before = memory.bytes.slice(0, TABLES_OFFSET);
  const elsewhere = [
    0,
    SEND_BATCH_OFFSET,
    TABLES_OFFSET - 4,
    TABLES_OFFSET + 2,
    FRAMES_OFFSET,
    0xfffffffc,
  ];
  for (const address of elsewhere) {
    assert.throws(
      () => classifier.patch(Uint32Array.of(address, 0x5a5a5a5a)),
      RangeError,
    );
  }
  assert.deepEqual(memory.bytes.slice(0, TABLES_OFFSET), before);
  classifier.patch(Uint32Array.of(TABLES_OFFSET, 7, FRAMES_OFFSET - 4, 9));
  const view = new DataView(memory.bytes.buffer);
  assert.equal(view.getUint32(TABLES_OFFSET, true), 7);
  assert.equal(view.getUint32(FRAMES_OFFSET - 4, true), 9);
});
