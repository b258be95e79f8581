import assert from "node:assert/strict";
import fc from "fast-check";
import {
  completeUdp,
  emitUdp,
  parseUdp,
  udpBytes,
  type UdpRepr,
} from "../../../services/wire/udp.ts";
import { foldSum, pseudoHeaderSum } from "../../../services/wire/checksum.ts";
import { udpRepr } from "../../arbitraries/reprs.ts";
import { testProperty } from "../../property.ts";
import { testCodec } from "./codec_laws.ts";

const pseudoSum = pseudoHeaderSum(0xfffffffe, 0x0a4d0002, 17);

testCodec<UdpRepr>({
  name: "udp",
  reprs: udpRepr(1472),
  parse: (bytes, start, end) => parseUdp(bytes, start, end, pseudoSum),
  emit: (repr, bytes, at) => emitUdp(repr, bytes, at, pseudoSum),
  size: udpBytes,
}, import.meta.url);

Deno.test("parseUdp() refuses a length below its header's", () => {
  const bytes = Uint8Array.of(0, 7, 0, 7, 0, 7, 0, 0);
  assert.equal(parseUdp(bytes, 0, 8, pseudoSum), "length");
});

Deno.test("parseUdp() refuses a checksum that is right for other addresses", () => {
  const repr = {
    sourcePort: 1,
    destinationPort: 2,
    checksummed: true,
    payload: Uint8Array.of(1, 2, 3),
  };
  const bytes = new Uint8Array(udpBytes(repr));
  emitUdp(repr, bytes, 0, pseudoSum);
  assert.equal(parseUdp(bytes, 0, 11, pseudoSum + 1), "checksum");
});

testProperty(
  "emitUdp() writes a checksum that comes out as 0 as 65,535, and it is right",
  { runs: 100, file: import.meta.url },
  fc.property(udpRepr(40), (drawn) => {
    // Two more bytes, chosen to make the sum all ones: the checksum becomes 0.
    const base = new Uint8Array(drawn.payload.length + 2 & ~1);
    base.set(drawn.payload.subarray(0, base.length - 2), 2);
    const repr = { ...drawn, checksummed: true, payload: base };
    const bytes = new Uint8Array(udpBytes(repr));
    emitUdp(repr, bytes, 0, pseudoSum);
    base.set(bytes.subarray(6, 8));
    emitUdp(repr, bytes, 0, pseudoSum);
    assert.deepEqual([...bytes.subarray(6, 8)], [255, 255]);
    assert.equal(typeof parseUdp(bytes, 0, bytes.length, pseudoSum), "object");
  }),
);

testProperty(
  "completeUdp() writes one that comes out as 0 as 65,535, too",
  { runs: 100, file: import.meta.url },
  fc.property(udpRepr(40), (drawn) => {
    const payload = new Uint8Array(drawn.payload.length + 2 & ~1);
    const repr = { ...drawn, checksummed: true, payload };
    const bytes = new Uint8Array(udpBytes(repr));
    emitUdp(repr, bytes, 0, pseudoSum);
    payload.set(bytes.subarray(6, 8));
    emitUdp(repr, bytes, 0, pseudoSum);
    // As a kernel leaves it for hardware: the sum of the pseudo-header alone.
    new DataView(bytes.buffer).setUint16(6, foldSum(pseudoSum + bytes.length));
    completeUdp(bytes, 0, bytes.length, pseudoSum);
    assert.deepEqual([...bytes.subarray(6, 8)], [255, 255]);
  }),
);
