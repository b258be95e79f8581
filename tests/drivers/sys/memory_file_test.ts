/** Files in memory: whole, readable by path, and nobody's to change. */

import { deepEqual, equal, throws } from "node:assert/strict";
import fc from "fast-check";
import { closeDescriptor } from "../../../drivers/sys/libc.ts";
import { makeMemoryFile } from "../../../drivers/sys/memory_file.ts";
import { testProperty } from "../../property.ts";

testProperty(
  "a file in memory has the bytes that it was made of, and nobody writes to it or shortens it",
  { runs: 20, file: import.meta.url, needs: ["linux"] },
  fc.property(fc.uint8Array({ maxLength: 200_000 }), (bytes) => {
    const file = makeMemoryFile("test", bytes);
    try {
      const path = `/proc/self/fd/${file}`;
      deepEqual(Deno.readFileSync(path), bytes);
      throws(() => Deno.writeFileSync(path, new Uint8Array(1)));
      throws(() => Deno.truncateSync(path, bytes.length + 1));
      equal(Deno.statSync(path).size, bytes.length);
    } finally {
      closeDescriptor(file);
    }
  }),
);
