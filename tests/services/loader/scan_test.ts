import { deepEqual, ok } from "node:assert/strict";
import type { Scan } from "./scan_probe.ts";

Deno.test("nothing that a module can reach can be changed: every object, by every way", async () => {
  const worker = new Worker(new URL("./scan_probe.ts", import.meta.url), {
    type: "module",
    deno: { permissions: "none" },
  } as WorkerOptions);
  const { port1, port2 } = new MessageChannel();
  try {
    const scan = await new Promise<Scan>((resolve, reject) => {
      port1.onmessage = ({ data }) => resolve(data);
      worker.onerror = (event) => {
        event.preventDefault();
        reject(new Error(event.message));
      };
      worker.postMessage(port2, [port2]);
    });
    deepEqual(scan.open, []);
    ok(scan.objects > 1000, `${scan.objects} objects`);
  } finally {
    worker.terminate();
    port1.close();
  }
});
