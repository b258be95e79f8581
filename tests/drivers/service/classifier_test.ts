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
import { ethernet } from "../../../services/filter/grant/builder.ts";
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

Deno.test("before a program is installed nothing is anybody's, and nobody may send", () => {
  const classifier = new Classifier(memory, new TagTable(16));
  const batch = batchAt(memory, RECEIVE_BATCH_OFFSET);
  batch.slot.fill(9);
  classifier.classify(batch, 3);
  assert.deepEqual([...batch.slot.subarray(0, 4)], [0, 0, 0, 9]);
  batch.slot.fill(9);
  classifier.permit(batch, 1, 3, 9);
  assert.deepEqual([...batch.slot.subarray(0, 4)], [9, 0, 0, 9]);
});

Deno.test("tags that the NIC found are believed where all are live; else the whole batch is classified", () => {
  const tags = new TagTable(16);
  for (const slot of [4, 5]) tags.insert({ low: 10 + slot, high: 1 }, slot);
  const classifier = new Classifier(memory, tags);
  const { program } = emitWasmTables(
    { branches: [flows] },
    [],
    { memoryPages },
  );
  classifier.install(program);
  const batch = batchAt(memory, RECEIVE_BATCH_OFFSET);
  for (let i = 0; i < 3; i++) {
    const offset = frameOffset(i);
    memory.bytes.set([0, i + 1], offset);
    batch.offset[i] = offset;
    batch.length[i] = 60;
  }
  batch.tagLow.set([15, 14, 15]);
  batch.tagHigh.fill(1, 0, 3);
  classifier.believeTags(batch, 3);
  assert.deepEqual([...batch.slot.subarray(0, 3)], [5, 4, 5]);
  for (const [low, high] of [[15, 2], [16, 1], [0, 0]] as const) {
    batch.tagLow[1] = low;
    batch.tagHigh[1] = high;
    classifier.believeTags(batch, 3);
    assert.deepEqual([...batch.slot.subarray(0, 3)], [1, 2, 3]);
  }
});

Deno.test("a sender is checked for its own frames of a batch alone", () => {
  const classifier = new Classifier(memory, new TagTable(16));
  const { grant } = ethernet().etherType(0x88b5);
  const { program } = emitWasmTables(
    { branches: [] },
    [{ slot: 7, grant }],
    { memoryPages },
  );
  classifier.install(program);
  const batch = batchAt(memory, SEND_BATCH_OFFSET);
  for (let i = 0; i < 5; i++) {
    const offset = frameOffset(i);
    memory.bytes.set([0x88, i % 2 === 0 ? 0xb5 : 0xb6], offset + 12);
    batch.offset[i] = offset;
    batch.length[i] = 60;
  }
  batch.slot.fill(9);
  classifier.permit(batch, 1, 4, 7);
  assert.deepEqual([...batch.slot.subarray(0, 5)], [9, 0, 7, 0, 9]);
});
