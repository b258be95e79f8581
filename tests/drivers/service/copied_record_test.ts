/** A packet that is copied onto a byte string brings nothing of what lay around it. */

import { deepEqual, ok } from "node:assert/strict";
import { frameOffset } from "../../../caps/memory/memory.ts";
import { RecordWalk } from "../../../caps/port/record_walk.ts";
import { RECORD_BYTES } from "../../../caps/port/records.ts";
import { ethernet } from "../../../services/filter/grant/builder.ts";
import { Rig } from "./rig.ts";

/** Lengths on both sides of where packets are copied word by word, of each remainder. */
const LENGTHS = [...range(14, 48), ...range(250, 262), ...range(1500, 1508)];

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}

Deno.test("a record has its packet's bytes, and behind them none of another's", () => {
  using rig = new Rig([{
    receives: ethernet().etherType(0x88b5).grant,
    sends: ethernet().etherType(0x88b5).grant,
    quotaPages: 1,
    copyBytesMax: 4096,
  }], 256);
  const { bytes, frameCount } = rig.memory;
  const [holder] = rig.holders;
  for (const length of LENGTHS) {
    // What others had in these frames before.
    bytes.fill(0xee, frameOffset(1), frameOffset(frameCount));
    const packet = Uint8Array.from({ length }, (_, i) => i % 200 + 1);
    packet.set([0x88, 0xb5], 12);
    rig.far.send(packet, 0, length);
    rig.far.send(packet, 0, length);
    rig.turn();
    const delivery = holder!.port.take()!;
    const walk = new RecordWalk(delivery.records, delivery.count);
    while (walk.next()) {
      const at = walk.at + RECORD_BYTES;
      const { view, end } = walk;
      deepEqual(view.bytes.slice(at, at + length), packet);
      const behind = view.bytes.subarray(at + length, end);
      ok(!behind.includes(0xee), `${length} bytes: ${behind.toHex()}`);
    }
    const rest = new Uint8Array(delivery.records, walk.end);
    ok(!rest.includes(0xee), `${length} bytes: something behind the last`);
    // Given back, so that each length has a string that was cleared.
    new Uint8Array(delivery.records).fill(0);
    const { capabilities, records } = delivery;
    holder!.port.post({ capabilities, records, count: 0, pages: [] }, [
      records,
    ]);
    rig.turn();
  }
});
