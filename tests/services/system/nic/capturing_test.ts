/** What crosses a NIC is captured in one place, whatever the NIC is. */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { openEmulated } from "../../../../drivers/emulated/driver.ts";
import { makeWire } from "../../../../drivers/emulated/wire.ts";
import { defaultManifest } from "../../../../services/manifest/manifest.ts";
import type { WorkerPermissions } from "../../../../services/runtime/start_worker.ts";
import { boot } from "../../../../services/system/boot.ts";
import { capturing } from "../../../../services/system/nic/capturing.ts";
import type { Nic } from "../../../../services/system/parts.ts";
import { readCapture } from "../../../drivers/capture/captures.ts";

/** A NIC that nobody opens. */
function nicWith(permissions: WorkerPermissions): Nic {
  const part = { worker: new URL("data:,"), permissions, here: () => {} };
  return { part, options: {}, transfer: [] };
}

Deno.test("a capture adds the right to write that one file, and nothing else", () => {
  for (
    const [given, expected] of [
      ["none", { write: ["a"] }],
      [{}, { write: ["a"] }],
      [{ ffi: true }, { ffi: true, write: ["a"] }],
      [{ write: false }, { write: ["a"] }],
      [{ write: ["b"], read: true }, { write: ["b", "a"], read: true }],
      [{ write: true }, { write: true }],
      [{ write: "inherit" }, { write: "inherit" }],
    ] as readonly (readonly [WorkerPermissions, WorkerPermissions])[]
  ) {
    const nic = nicWith(given);
    const { part, write, restarts } = capturing(nic, { write: "a" });
    deepStrictEqual(part.permissions, expected);
    deepStrictEqual([write, restarts], ["a", false]);
    strictEqual(capturing(nic, {}), nic);
  }
});

Deno.test("a NIC of the caller's own is captured like every other", async () => {
  const file = await Deno.makeTempFile({ suffix: ".pcapng" });
  try {
    const manifest = defaultManifest({ write: file });
    const [end, far] = makeWire();
    const { mac } = manifest;
    const system = await boot(manifest, {
      confined: false,
      nic: { open: (memory) => openEmulated({ memory, end, mac }) },
    });
    // Who has 10.77.0.2? Asked by 10.77.0.1.
    const asks = Uint8Array.fromHex(
      "ffffffffffff" + "0253" + "0a4d0001" + "0806" +
        "0001080006040001" + "02530a4d0001" + "0a4d0001" +
        "000000000000" + "0a4d0002" + "00".repeat(18),
    );
    far.send(asks, 0, asks.length);
    while (far.peek() === 0) await new Promise((done) => setTimeout(done, 5));
    await system.stop();
    const { packets } = readCapture(await Deno.readFile(file));
    strictEqual(packets.length, 2);
    deepStrictEqual(packets[0]!.bytes, asks);
    ok(packets[1]!.bytes.toHex().startsWith("02530a4d0001"), "the answer");
  } finally {
    await Deno.remove(file);
  }
});
