import { deepStrictEqual, throws } from "node:assert/strict";
import { readKeyFile } from "../../../drivers/tunnel/key_file.ts";
import { testWith } from "../../needs.ts";

/** A path in a folder of its own, with a file of `sizeBytes` unless that is undefined. */
function keyFile(
  sizeBytes: number | undefined,
  mode = 0o600,
): { readonly path: string } & Disposable {
  const folder = Deno.makeTempDirSync();
  const path = `${folder}/a key`;
  if (sizeBytes !== undefined) {
    Deno.writeFileSync(path, new Uint8Array(sizeBytes).fill(65), { mode });
    Deno.chmodSync(path, mode);
  }
  return {
    path,
    [Symbol.dispose]: () => Deno.removeSync(folder, { recursive: true }),
  };
}

Deno.test("a key is all bytes of its file, from 32 to 4,096", () => {
  for (const size of [32, 33, 4096]) {
    using file = keyFile(size);
    deepStrictEqual(readKeyFile(file.path), new Uint8Array(size).fill(65));
  }
});

testWith(
  ["linux"],
  "a key that is missing, short, long, a folder or open to others is refused, with what to do",
  () => {
    const refused: [number | undefined, number, RegExp][] = [
      [undefined, 0o600, /there is none; .*head -c 32 \/dev\/urandom/],
      [0, 0o600, /it has 0 bytes; a key has at least 32/],
      [31, 0o600, /it has 31 bytes; .*the same bytes at the other end/],
      [4097, 0o600, /it has 4097 bytes; a key has at most 4096/],
      [32, 0o604, /others may read or change it; `chmod o= /],
      [32, 0o602, /others may read or change it/],
    ];
    for (const [size, mode, why] of refused) {
      using file = keyFile(size, mode);
      throws(() => readKeyFile(file.path), (error: Error) => {
        return error.message.startsWith(`udp: the key file ${file.path}: `) &&
          why.test(error.message);
      }, `${size} bytes, mode ${mode.toString(8)}`);
    }
    throws(() => readKeyFile("/dev/zero"), /it is not a file/);
    throws(() => readKeyFile("/tmp"), /it is not a file/);
  },
);
