import assert from "node:assert/strict";

interface Told {
  readonly found: readonly string[];
  readonly imports: Readonly<Record<string, string>>;
}

/** The flags that matter here of the task that starts a system (deno.json). */
const FLAGS = ["--no-prompt", "--cached-only", "--deny-import", "--allow-read"];

/** What a worker with a service's permissions tells of itself. */
async function probe(): Promise<Told> {
  const { default: config } = await import("../../deno.json", {
    with: { type: "json" },
  });
  for (const flag of FLAGS) assert.ok(config.tasks.start.includes(flag), flag);
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      ...FLAGS,
      new URL("./confine_process.ts", import.meta.url).pathname,
    ],
    stdin: "null",
  }).output();
  const text = new TextDecoder().decode(stdout);
  assert.ok(text !== "", new TextDecoder().decode(stderr));
  assert.doesNotMatch(new TextDecoder().decode(stderr), /Download/);
  return JSON.parse(text) as Told;
}

Deno.test("a confined worker finds no way out among its globals", async () => {
  const { found } = await probe();
  const ways = [
    "Deno",
    "process",
    "Buffer",
    "global",
    "fetch",
    "Request",
    "XMLHttpRequest",
  ].concat(
    [
      "WebSocket",
      "WebSocketStream",
      "EventSource",
      "WebTransport",
      "Worker",
      "SharedWorker",
    ],
    [
      "BroadcastChannel",
      "MessageChannel",
      "SharedArrayBuffer",
      "caches",
    ],
    [
      "localStorage",
      "sessionStorage",
      "indexedDB",
      "navigator",
      "location",
      "close",
      "postMessage",
    ],
    [
      "importScripts",
      "require",
      "module",
      "alert",
      "prompt",
      "confirm",
      "Notification",
      "GPU",
    ],
    ["setImmediate", "clearImmediate"],
  );
  assert.deepEqual(found.filter((name) => ways.includes(name)), []);
});

Deno.test("a confined worker finds nothing but what is on the list", async () => {
  const { found } = await probe();
  const list = await Deno.readTextFile(
    new URL("../../services/confine.ts", import.meta.url),
  );
  const object = Object.getOwnPropertyNames(EventTarget.prototype);
  const unknown = found.filter((name) =>
    !new RegExp(`\\b${name}\\b`).test(list) && !object.includes(name)
  );
  assert.deepEqual(unknown, []);
});

Deno.test("a confined worker loads no file and nothing from a network", async () => {
  const { imports } = await probe();
  assert.deepEqual(imports, {
    "file:///etc/hostname": "refused",
    "https://example.invalid/x.ts": "refused",
    "npm:@sallyport/no-such-package": "refused",
    "node:fs": "refused",
  });
});
