/** A worker that takes everything from itself, as services do, and then tells what it still finds. */

import "../../../services/runtime/confine.ts";
import { openChannels } from "../loader/channels.ts";

interface Scope {
  onmessage: ((event: MessageEvent) => void) | null;
}

const SPECIFIERS = [
  "file:///etc/hostname",
  "https://example.invalid/x.ts",
  "npm:@sallyport/no-such-package",
  "node:fs",
  "node:worker_threads",
];

const scope = globalThis as unknown as Scope;
scope.onmessage = async (event) => {
  scope.onmessage = null;
  const port = event.data as MessagePort;
  const outcomes = SPECIFIERS.map(async (specifier) =>
    [specifier, await outcome(specifier)] as const
  );
  port.postMessage({
    found: names(),
    ways: await openChannels(),
    imports: Object.fromEntries(await Promise.all(outcomes)),
  });
};

function names(): string[] {
  const found = new Set<string>();
  let at: object | null = globalThis;
  while (at !== null && at !== Object.prototype) {
    for (const key of Reflect.ownKeys(at)) {
      if (typeof key !== "string") continue;
      if (Reflect.get(globalThis, key) !== undefined) found.add(key);
    }
    at = Reflect.getPrototypeOf(at);
  }
  return [...found];
}

async function outcome(specifier: string): Promise<string> {
  try {
    const module = await import(specifier);
    if (specifier !== "node:fs") return "loaded";
    module.readFileSync("/etc/hostname");
    return "read a file";
  } catch {
    return "refused";
  }
}
