/** Starts the probe with a service's permissions and prints what it tells. */

const worker = new Worker(new URL("./confined_probe.ts", import.meta.url), {
  type: "module",
  deno: { permissions: "none" },
} as WorkerOptions);
const { port1, port2 } = new MessageChannel();
port1.onmessage = (event) => {
  console.log(JSON.stringify(event.data));
  Deno.exit();
};
worker.postMessage(port2, [port2]);
