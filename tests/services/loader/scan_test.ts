import { deepEqual, ok } from "node:assert/strict";
import { LANGUAGE_NAMES } from "../runtime/language_names.ts";
import type { Scan } from "./scan_probe.ts";

/** What a module has besides the language. */
const GIVEN = `
  self setTimeout clearTimeout setInterval clearInterval performance crypto
  TextEncoder TextDecoder reportError Event dispatchEvent
  getParent constructor
`.trim().split(/\s+/);

Deno.test("a module finds the language and a few names more, and nothing that it can reach can be changed", async () => {
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
    const expected = LANGUAGE_NAMES.union(new Set(GIVEN));
    deepEqual(scan.names.filter((name) => !expected.has(name)), []);
    ok(scan.objects > 1000, `${scan.objects} objects`);
  } finally {
    worker.terminate();
    port1.close();
  }
});
