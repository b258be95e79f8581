import assert from "node:assert/strict";
import fc from "fast-check";
import {
  ENTRY_MULTIPLIER,
  FlowTable,
  tableSize,
} from "../../../../services/filter/wasm/flow_table.ts";
import { WordWrites } from "../../../../services/filter/wasm/word_writes.ts";
import { testProperty } from "../../../property.ts";

const file = import.meta.url;

/** A table with the memory that it lies in, which is only told of what is written. */
class Rig {
  readonly table: FlowTable;
  readonly #memory: DataView;
  readonly #writes = new WordWrites();

  constructor(count: number) {
    const entries = Array.from({ length: count }, (_, index) => ({
      key: keyOf(index),
      value: index + 1,
    }));
    const size = tableSize([8, 4], count);
    const address = size.displacementsBytes;
    const at = { displacements: 0, address };
    this.table = new FlowTable([8, 4], entries, at);
    const memory = new Uint8Array(address + size.entriesBytes);
    for (const { address, bytes } of this.table.segments()) {
      memory.set(bytes, address);
    }
    this.#memory = new DataView(memory.buffer);
  }

  set(index: number, value: number): boolean {
    return this.#applied((writes) =>
      this.table.set({ key: keyOf(index), value }, writes)
    );
  }

  delete(index: number): boolean {
    return this.#applied((writes) => this.table.delete(keyOf(index), writes));
  }

  #applied(change: (writes: WordWrites) => boolean): boolean {
    const done = change(this.#writes);
    const words = this.#writes.take();
    for (let at = 0; at < words.length; at += 2) {
      this.#memory.setUint32(words[at]!, words[at + 1]!, true);
    }
    return done;
  }

  /** What the emitted code does. */
  find(index: number): number | undefined {
    const { multipliers, bucketShift, entryShift, ...table } = this.table;
    const key = keyOf(index);
    let sum = BigInt.asUintN(
      64,
      key.reduce((sum, word, at) => sum + word * multipliers[at]!, 0n),
    );
    sum ^= sum >> 32n;
    sum = BigInt.asUintN(64, sum * multipliers[key.length]!);
    const bucket = Number(sum >> BigInt(bucketShift));
    const displacement = this.#memory.getUint16(
      table.displacements + 2 * bucket,
      true,
    );
    const low = Number(sum & 0xffffffffn) ^ displacement;
    const place = Math.imul(low, ENTRY_MULTIPLIER) >>> entryShift;
    const at = table.address + place * table.stride;
    const [wide, narrow] = table.wordOffsets;
    const value = this.#memory.getUint32(at + table.valueOffset, true);
    const alike = this.#memory.getBigUint64(at + wide!, true) === key[0] &&
      BigInt(this.#memory.getUint32(at + narrow!, true)) === key[1];
    return alike && value !== 0 ? value : undefined;
  }
}

/** Keys that differ little; the first is all zeros, as free entries are. */
function keyOf(index: number): bigint[] {
  return [BigInt(index) << 20n, BigInt(index & 3)];
}

testProperty(
  "a flow table holds what a map would hold, whatever comes and goes",
  { runs: 100, file },
  fc.property(
    fc.nat(60),
    fc.array(
      fc.record({ set: fc.boolean(), index: fc.nat(90), value: fc.nat(999) }),
      { maxLength: 1500, size: "max" },
    ),
    (count, changes) => {
      const rig = new Rig(count);
      const model = new Map<number, number>();
      for (let index = 0; index < count; index++) model.set(index, index + 1);
      for (const { set, index, value } of changes) {
        if (!set) assert.equal(rig.delete(index), model.delete(index));
        else if (rig.set(index, value + 1)) model.set(index, value + 1);
        else assert.ok(model.size > 40 && !model.has(index));
      }
      for (let index = 0; index <= 90; index++) {
        assert.equal(rig.find(index), model.get(index));
      }
    },
  ),
);

Deno.test("a flow table takes a sixth more keys than it was made for, at the least", () => {
  for (const count of [40, 1000, 1280, 10240]) {
    const rig = new Rig(count);
    const more = Math.floor(count / 6);
    for (let index = count; index < count + more; index++) {
      assert.ok(rig.set(index, index + 1));
    }
    for (let index = 0; index < count + more; index++) {
      assert.equal(rig.find(index), index + 1);
    }
    let beyond = count + more;
    while (rig.set(beyond, beyond + 1)) beyond++;
    assert.equal(rig.find(beyond), undefined);
    assert.equal(rig.find(beyond - 1), beyond);
  }
});
