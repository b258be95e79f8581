import { equal } from "node:assert/strict";

Deno.test("a hardened worker lets go of its ports, as it does when the NIC begins anew", async () => {
  const worker = new Worker(new URL("./hardened_probe.ts", import.meta.url), {
    type: "module",
    deno: { permissions: "none" },
  } as WorkerOptions);
  const [first, second] = [new MessageChannel(), new MessageChannel()];
  try {
    const ports = [first.port2, second.port2];
    worker.postMessage(ports, ports);
    const said = await new Promise((resolve) => {
      second.port1.onmessage = ({ data }) => resolve(data);
      worker.onerror = (event) => {
        event.preventDefault();
        resolve(event.message);
      };
    });
    equal(said, "done");
    // What a closed port does comes in a turn of its own.
    const late = await new Promise((resolve) => {
      worker.onerror = (event) => {
        event.preventDefault();
        resolve(event.message);
      };
      second.port1.onmessage = ({ data }) => resolve(data);
    });
    equal(late, "still there");
  } finally {
    worker.terminate();
    first.port1.close();
    second.port1.close();
  }
});
