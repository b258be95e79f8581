/** Maps and programs, with the kernel's own verifier as the judge. */

import assert from "node:assert/strict";
import fc from "fast-check";
import type { KernelProgram } from "../../../caps/driver/program.ts";
import { BpfMapType } from "../../../drivers/sys/abi.ts";
import { BpfMap, BpfProgram, VerifierError } from "../../../drivers/sys/bpf.ts";
import { SystemError } from "../../../drivers/sys/system_error.ts";
import { LoadedProgram, makeSocketMap } from "../../../drivers/xdp/program.ts";
import { udpPortProgram } from "../xdp/udp_port_program.ts";
import { testWith } from "../../needs.ts";
import { testProperty } from "../../property.ts";

const NEEDS = ["linux", "root"] as const;
const XDP_PASS = 2;

testWith(
  NEEDS,
  "a map takes many entries in one call, or none of another size",
  () => {
    using map = new BpfMap({
      type: BpfMapType.HASH,
      keyBytes: 12,
      valueBytes: 8,
      entriesMax: 5000,
    });
    const keys = new Uint8Array(5000 * 12).map((_, at) => at % 251);
    const values = new Uint8Array(5000 * 8).map((_, at) => at % 241);
    new Uint32Array(keys.buffer).forEach((_, at, words) => {
      if (at % 3 === 0) words[at] = at;
    });
    map.updateAll(keys, values);
    for (let index = 0; index < 5000; index++) {
      const key = keys.slice(index * 12, index * 12 + 12);
      const value = values.slice(index * 8, index * 8 + 8);
      assert.deepEqual(map.lookup(key), value);
    }
    map.updateAll(new Uint8Array(0), new Uint8Array(0));
    assert.throws(() => map.updateAll(keys, values.subarray(8)), RangeError);
    assert.throws(() => map.updateAll(keys.subarray(1), values), RangeError);
    const more = new Uint8Array(12).fill(255);
    assert.throws(() => map.updateAll(more, new Uint8Array(8)), SystemError);
  },
);

/** `r0 = 2; exit`. */
const pass = Uint8Array.of(
  0xb7,
  0,
  0,
  0,
  2,
  0,
  0,
  0,
  0x95,
  0,
  0,
  0,
  0,
  0,
  0,
  0,
);

/** An Ethernet frame with IPv4 and UDP to `port`. */
function udpFrame(port: number): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array(60);
  frame.set([0x08, 0x00, 0x45], 12);
  frame[23] = 17;
  new DataView(frame.buffer).setUint16(36, port);
  return frame;
}

const bytes = (length: number) =>
  fc.uint8Array({ minLength: length, maxLength: length })
    .map((array) => new Uint8Array(array));

testProperty(
  "a map in the kernel is a map",
  { runs: 50, file: import.meta.url, needs: NEEDS },
  fc.property(
    fc.array(fc.tuple(
      fc.constantFrom("update", "lookup", "delete"),
      fc.nat(5),
      bytes(9),
    )),
    (steps) => {
      using map = new BpfMap({
        type: BpfMapType.HASH,
        keyBytes: 13,
        valueBytes: 9,
        entriesMax: 8,
      });
      const model = new Map<number, Uint8Array>();
      for (const [step, which, value] of steps) {
        const key = new Uint8Array(13).fill(which);
        if (step === "update") {
          map.update(key, value);
          model.set(which, value);
        } else if (step === "delete") {
          assert.equal(map.delete(key), model.delete(which));
        }
        assert.deepEqual(map.lookup(key), model.get(which));
      }
    },
  ),
);

testProperty(
  "a loaded program claims its port and no other, tags it, and counts it",
  { runs: 30, file: import.meta.url, needs: NEEDS },
  fc.property(
    fc.integer({ min: 1, max: 65535 }),
    fc.array(fc.integer({ min: 1, max: 65535 }), { maxLength: 5 }),
    (port, others) => {
      using sockets = makeSocketMap(4);
      using loaded = new LoadedProgram(
        udpPortProgram({ port, tagLow: 0x11223344, tagHigh: 0x55667788 }),
        { sockets },
      );
      const context = new Uint8Array(24);
      new DataView(context.buffer).setUint32(4, 60, true);
      let claimed = 0;
      for (const to of [port, ...others]) {
        const run = loaded.program.testRun({ data: udpFrame(to), context });
        if (to !== port) {
          assert.equal(run.result, XDP_PASS);
          assert.deepEqual(run.data, udpFrame(to));
          continue;
        }
        claimed++;
        assert.deepEqual(
          [...run.data.slice(0, 8)],
          [0x44, 0x33, 0x22, 0x11, 0x88, 0x77, 0x66, 0x55],
        );
        assert.deepEqual(run.data.slice(8), udpFrame(to));
        // No socket on queue 0: never to anybody else.
        assert.equal(run.result, 1);
      }
      const counters = new Map([["claimed", 100]]);
      loaded.addCounters(counters);
      assert.deepEqual([...counters], [["claimed", 100 + claimed]]);
    },
  ),
);

testWith(
  NEEDS,
  "a program that the verifier refuses says why, with its log",
  () => {
    assert.throws(
      () => new BpfProgram(pass.slice(8)),
      (error: unknown) =>
        error instanceof VerifierError && error instanceof SystemError &&
        error.code === "EACCES" && /R0 !read_ok/.test(error.log) &&
        /verifier refused the program: Permission denied .*R0 !read_ok/.test(
          error.message,
        ),
    );
  },
);

testWith(
  NEEDS,
  "a program that is accepted has a log only when it was asked for",
  () => {
    using silent = new BpfProgram(pass);
    using verbose = new BpfProgram(pass, { verbose: true });
    assert.equal(silent.log, "");
    assert.match(verbose.log, /processed 2 insns/);
    assert.equal(silent.testRun({ data: udpFrame(1) }).result, XDP_PASS);
  },
);

testWith(
  NEEDS,
  "a map that is full says so, and keys of the wrong size never reach the kernel",
  () => {
    using map = new BpfMap({
      type: BpfMapType.HASH,
      keyBytes: 4,
      valueBytes: 8,
      entriesMax: 1,
    });
    map.update(new Uint8Array(4), new Uint8Array(8));
    assert.throws(
      () => map.update(new Uint8Array(4).fill(1), new Uint8Array(8)),
      (error: unknown) =>
        error instanceof SystemError && error.code === "E2BIG",
    );
    assert.throws(() => map.lookup(new Uint8Array(3)), RangeError);
    assert.throws(
      () => map.update(new Uint8Array(4), new Uint8Array(7)),
      RangeError,
    );
  },
);

testWith(
  NEEDS,
  "flows are in the map when the program is loaded, and what does not fit together is refused",
  () => {
    using sockets = makeSocketMap(1);
    const good = udpPortProgram({ port: 7, tagLow: 1, tagHigh: 2 });
    const withFlows = (entries: Uint8Array<ArrayBuffer>): KernelProgram => ({
      ...good,
      maps: [
        ...good.maps,
        { kind: "flows", keyBytes: 6, entriesMax: 2, entries },
      ],
    });
    const entries = Uint8Array.from({ length: 28 }, (_, at) => at);
    using loaded = new LoadedProgram(withFlows(entries), { sockets });
    assert.equal(
      loaded.program.testRun({ data: udpFrame(8) }).result,
      XDP_PASS,
    );
    assert.throws(
      () => new LoadedProgram(withFlows(entries.slice(1)), { sockets }),
      /27 bytes of flows are no multiple of 14/,
    );
    const wrong = [{ instruction: 0, map: 0 }];
    assert.throws(
      () => new LoadedProgram({ ...good, relocations: wrong }, { sockets }),
      /relocation of instruction 0 to map 0 points nowhere/,
    );
  },
);
