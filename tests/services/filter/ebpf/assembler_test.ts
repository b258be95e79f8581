import assert from "node:assert/strict";
import { assemble, Code } from "../../../../services/filter/ebpf/assembler.ts";
import * as ebpf from "../../../../services/filter/ebpf/instruction.ts";
import { ProgramTooLarge } from "../../../../services/filter/ebpf/limits.ts";
import { printEbpf } from "../../../../services/filter/ebpf/print.ts";

const { R0, R1, R2, R3, R6, R7, R8, R9, R10 } = ebpf;

/**
 * Bytes and notation as LLVM's disassembler for bpfel has them (llvm-mc), loads
 * with the whole register's name; the store of an immediate after RFC 9669.
 */
const table: readonly [ebpf.Instruction, string, string][] = [
  [ebpf.movImm(R2, -8), "b7 02 00 00 f8 ff ff ff", "r2 = -8"],
  [ebpf.movReg(R6, R1), "bf 16 00 00 00 00 00 00", "r6 = r1"],
  [ebpf.addImm(R1, 3840), "07 01 00 00 00 0f 00 00", "r1 += 3840"],
  [ebpf.addReg(R3, R2), "0f 23 00 00 00 00 00 00", "r3 += r2"],
  [ebpf.andImm32(R1, 240), "54 01 00 00 f0 00 00 00", "w1 &= 240"],
  [ebpf.lshImm(R2, 2), "67 02 00 00 02 00 00 00", "r2 <<= 2"],
  [ebpf.toBigEndian(R1, 16), "dc 01 00 00 10 00 00 00", "r1 = be16 r1"],
  [ebpf.toBigEndian(R9, 32), "dc 09 00 00 20 00 00 00", "r9 = be32 r9"],
  [
    ebpf.load(1, R1, R7, 14),
    "71 71 0e 00 00 00 00 00",
    "r1 = *(u8 *)(r7 + 14)",
  ],
  [
    ebpf.load(2, R1, R7, 12),
    "69 71 0c 00 00 00 00 00",
    "r1 = *(u16 *)(r7 + 12)",
  ],
  [ebpf.load(4, R8, R6, 4), "61 68 04 00 00 00 00 00", "r8 = *(u32 *)(r6 + 4)"],
  [
    ebpf.load(8, R3, R10, -24),
    "79 a3 e8 ff 00 00 00 00",
    "r3 = *(u64 *)(r10 - 24)",
  ],
  [
    ebpf.store(4, R10, -4, R2),
    "63 2a fc ff 00 00 00 00",
    "*(u32 *)(r10 - 4) = r2",
  ],
  [
    ebpf.store(8, R2, 0, R9),
    "7b 92 00 00 00 00 00 00",
    "*(u64 *)(r2 + 0) = r9",
  ],
  [
    ebpf.storeImm(4, R10, -256, 3),
    "62 0a 00 ff 03 00 00 00",
    "*(u32 *)(r10 - 256) = 3",
  ],
  [
    ebpf.atomicAdd64(R0, 0, R1),
    "db 10 00 00 00 00 00 00",
    "lock *(u64 *)(r0 + 0) += r1",
  ],
  [ebpf.call(51), "85 00 00 00 33 00 00 00", "call 51"],
  [ebpf.exit(), "95 00 00 00 00 00 00 00", "exit"],
  [ebpf.jeqImm(R0, 0, "L"), "15 00 01 00 00 00 00 00", "if r0 == 0 goto +1"],
  [ebpf.jneImm(R1, 64, "L"), "55 01 01 00 40 00 00 00", "if r1 != 64 goto +1"],
  [
    ebpf.jgtImm(R2, 3840, "L"),
    "25 02 01 00 00 0f 00 00",
    "if r2 > 3840 goto +1",
  ],
  [ebpf.jltImm(R2, 5, "L"), "a5 02 01 00 05 00 00 00", "if r2 < 5 goto +1"],
  [ebpf.jgtReg(R2, R8, "L"), "2d 82 01 00 00 00 00 00", "if r2 > r8 goto +1"],
  [
    ebpf.jeqImm32(R1, 2048, "L"),
    "16 01 01 00 00 08 00 00",
    "if w1 == 2048 goto +1",
  ],
  [ebpf.jgtImm32(R1, 9, "L"), "26 01 01 00 09 00 00 00", "if w1 > 9 goto +1"],
  [
    ebpf.jgeImm32(R1, 0x80000000, "L"),
    "36 01 01 00 00 00 00 80",
    "if w1 >= -2147483648 goto +1",
  ],
  [ebpf.jltImm32(R1, 9, "L"), "a6 01 01 00 09 00 00 00", "if w1 < 9 goto +1"],
];

Deno.test("assemble() encodes each instruction as LLVM does, and printEbpf() writes it so", () => {
  for (const [instruction, bytes, text] of table) {
    const assembled = assemble([
      instruction,
      ebpf.movImm(R0, 0),
      "L",
      ebpf.exit(),
    ]);
    const encoded = [...assembled.instructions.subarray(0, 8)]
      .map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
    assert.equal(encoded, bytes, text);
    assert.equal(printEbpf(assembled).split("\n")[0], `    0: ${text}`);
  }
});

Deno.test("assemble() gives a 64-bit load two words, and jumps count both", () => {
  const assembled = assemble([
    ebpf.jeqImm(R1, 0, "out"),
    ebpf.loadImm64(R9, 0x89abcdef, 0xfedcba98),
    ebpf.loadMap(R1, 4),
    "out",
    ebpf.exit(),
  ]);
  assert.deepEqual(assembled.relocations, [{ instruction: 3, map: 4 }]);
  assert.deepEqual(printEbpf(assembled).split("\n"), [
    "    0: if r1 == 0 goto +4",
    "    1: r9 = 0xfedcba9889abcdef ll",
    "    3: r1 = map 4 ll",
    "    5: exit",
    "",
  ]);
  const words = new DataView(assembled.instructions.buffer);
  assert.equal(words.getUint8(8), 0x18);
  assert.equal(words.getUint32(12, true), 0x89abcdef);
  assert.equal(words.getUint32(20, true), 0xfedcba98);
  assert.equal(words.getUint8(25), 0x11, "a map's descriptor, into r1");
});

Deno.test("assemble() leaves out what is never reached, and jumps to what is next", () => {
  const code = new Code();
  code.push(ebpf.movImm(R0, 1), ebpf.ja("a"));
  code.label("never");
  code.push(ebpf.movImm(R0, 2), ebpf.ja("b"));
  code.label("a");
  code.push(ebpf.ja("b"));
  code.label("b");
  code.push(ebpf.exit());
  assert.equal(
    printEbpf(code.assemble()),
    "    0: r0 = 1\n    1: exit\n",
  );
});

Deno.test("assemble() keeps jumps backwards", () => {
  const text = printEbpf(assemble([
    ebpf.movImm(R1, 0),
    "loop",
    ebpf.addImm(R1, 1),
    ebpf.jgtImm(R1, 9, "out"),
    ebpf.ja("loop"),
    "out",
    ebpf.exit(),
  ]));
  assert.match(text, /3: goto -3\n/);
});

Deno.test("assemble() refuses labels that are missing or there twice, and code without an end", () => {
  assert.throws(() => assemble([ebpf.ja("nowhere")]), /no label nowhere/);
  assert.throws(() => assemble(["a", "a", ebpf.exit()]), /a is there twice/);
  assert.throws(() => assemble([ebpf.movImm(R0, 0)]), /past the last line/);
});

Deno.test("assemble() refuses jumps that are farther than 16 bits reach", () => {
  const far = (count: number) =>
    assemble([
      ebpf.jeqImm(R1, 0, "far"),
      ...new Array<ebpf.Instruction>(count).fill(ebpf.movImm(R0, 0)),
      "far",
      ebpf.exit(),
    ]);
  assert.equal(far(32767).instructions.length, 8 * 32769);
  assert.throws(() => far(32768), ProgramTooLarge);
});

Deno.test("printEbpf() shows what it does not know as bytes", () => {
  const instructions = Uint8Array.of(0xc7, 1, 0, 0, 3, 0, 0, 0);
  assert.equal(
    printEbpf({ instructions, relocations: [] }),
    "    0: c7 01 00 00 03 00 00 00\n",
  );
});
