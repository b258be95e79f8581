/**
 * Every way out that code without `import` might find, tried. It imports nothing,
 * so that its text can be a third party's module too.
 */

type Try = () => unknown;

/** What a worker has or had among its globals, and must not. */
const WAYS = `
  Deno process Buffer global fetch Request Response XMLHttpRequest WebSocket
  WebSocketStream EventSource WebTransport Worker SharedWorker BroadcastChannel
  MessageChannel SharedArrayBuffer caches localStorage sessionStorage indexedDB
  navigator location close postMessage importScripts require module alert prompt
  confirm Notification GPU setImmediate clearImmediate eval console URL Blob
  name closed origin
`.trim().split(/\s+/);

const made = "return 1";

/** By name: each gives something truthy when the way is open. */
const TRIES: Record<string, Try> = {
  "function from its constructor": () => make(() => {}),
  "function from a method's": () => make([].filter),
  "function from a class's": () => make(class {}),
  "function from a bound one's": () => make(parseInt.bind(null)),
  "function from a proxy's": () => make(new Proxy(() => {}, {})),
  "function from a getter's": () =>
    make(Object.getOwnPropertyDescriptor(Map.prototype, "size")!.get!),
  "function from the prototype": () =>
    make({ constructor: Object.getPrototypeOf(() => {}).constructor }),
  "function by Reflect": () =>
    Reflect.construct((() => {}).constructor, [made])(),
  "function by extending": () =>
    new (class extends ((() => {}).constructor as FunctionConstructor) {})(
      made,
    )(),
  "async function": () => make(async () => {}),
  "generator": () => make(function* () {}),
  "async generator": () => make(async function* () {}),
  "indirect eval": () => (find("ev" + "al") as Eval)("1"),
  "timeout of text": () => later((text) => setTimeout(text as never)),
  "interval of text": () => later((text) => setInterval(text as never)),
  "microtask of text": () => later((text) => queueMicrotask(text as never)),
  "call sites": () => callSites(),
  "inherited close": () => inherited("close"),
  "inherited postMessage": () => inherited("postMessage"),
};

type Eval = (text: string) => unknown;

function find(name: string): unknown {
  return Reflect.get(globalThis, name);
}

function make(from: { readonly constructor: unknown }): unknown {
  const made = (from.constructor as FunctionConstructor)("return globalThis");
  return typeof made === "function";
}

async function later(start: (text: string) => void): Promise<unknown> {
  start("globalThis.wasRun = 1");
  await new Promise((resolve) => setTimeout(resolve, 20));
  return find("wasRun");
}

function inherited(name: string): unknown {
  let scope: object | null = globalThis;
  while (scope !== null && scope !== Object.prototype) {
    if (Reflect.get(scope, name, globalThis) !== undefined) return true;
    scope = Reflect.getPrototypeOf(scope);
  }
  return false;
}

/** Functions or objects of who called, from a stack. */
function callSites(): unknown {
  let shown: unknown[] = [];
  const E = Error as unknown as { prepareStackTrace: unknown };
  E.prepareStackTrace = (
    _: unknown,
    sites: { getFunction(): unknown; getThis(): unknown }[],
  ) => {
    shown = sites.flatMap((site) => [site.getFunction(), site.getThis()]);
  };
  void new Error().stack;
  return shown.some((each) => each !== undefined);
}

/** The ways that are open, of all that are tried. */
export async function openChannels(): Promise<
  { tried: number; open: string[] }
> {
  const open = WAYS.filter((name) => find(name) !== undefined);
  for (const [name, attempt] of Object.entries(TRIES)) {
    try {
      if (await attempt()) open.push(name);
    } catch {
      // Closed.
    }
  }
  return { tried: WAYS.length + Object.keys(TRIES).length, open };
}
