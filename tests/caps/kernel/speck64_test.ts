import assert from "node:assert/strict";
import { Speck64 } from "../../../caps/kernel/speck64.ts";

Deno.test("Speck64 gives the ciphertext of the designers' test vector", () => {
  // Speck64/128, appendix C of the paper: key 1b1a1918 13121110 0b0a0908 03020100.
  const cipher = new Speck64(
    Uint32Array.of(0x03020100, 0x0b0a0908, 0x13121110, 0x1b1a1918),
  );
  const block = cipher.encipher({ high: 0x3b726574, low: 0x7475432d });
  assert.deepEqual(block, { high: 0x8c6fa548, low: 0x454e028b });
});
