/**
 * A hardened worker that looks at every object it can reach, and says which of
 * them could still be changed by a module.
 */

import "../../../services/runtime/confine.ts";
import { harden } from "../../../services/loader/harden.ts";
import { serviceKit } from "../../../services/loader/kit.ts";

/** What a scan came to. */
export interface Scan {
  readonly objects: number;
  /** One line each: the way to the object, and what of it can be changed. */
  readonly open: readonly string[];
  /** The globals that are not undefined, inherited ones too. */
  readonly names: readonly string[];
}

type Found = readonly [way: string, value: unknown];

/** Fresh objects, made as a module can make them: theirs to change, but not what is behind them. */
function makeFresh(): Found[] {
  const steps: Record<string, () => unknown> = {
    timer: () => setTimeout(() => {}, 1),
    interval: () => setInterval(() => {}, 1e6),
    generator: () => (function* () {})(),
    asyncGenerator: () => (async function* () {})(),
    asyncFunction: () => async () => {},
    array: () => [][Symbol.iterator](),
    map: () => new Map().entries(),
    set: () => new Set().values(),
    text: () => ""[Symbol.iterator](),
    matches: () => "".matchAll(/./g),
    match: () => /a/.exec("a"),
    helper: () => Iterator.from([]).map((each) => each),
    flat: () => Iterator.from([]).flatMap(() => []),
    wrapped: () =>
      Iterator.from({ next: () => ({ done: true, value: undefined }) }),
    parameters: () =>
      (function () {
        return arguments;
      })(),
    template: () => ((parts: TemplateStringsArray) => parts)``,
    segments: () => new Intl.Segmenter().segment("a"),
    segment: () => new Intl.Segmenter().segment("a")[Symbol.iterator](),
    format: () => new Intl.DateTimeFormat().formatToParts(0),
    memory: () => new WebAssembly.Memory({ initial: 0, maximum: 0 }).buffer,
    shared: () =>
      new WebAssembly.Memory({ initial: 0, maximum: 0, shared: true }).buffer,
    module: () =>
      new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0)),
    encoder: () => new TextEncoder().encode("a"),
    encoded: () => new TextEncoder().encodeInto("a", new Uint8Array(1)),
    decoder: () => new TextDecoder(),
    noDecoder: () => new TextDecoder("no such encoding"),
    tooMuch: () => crypto.getRandomValues(new Uint8Array(1e6)),
    tooDeep: function deep(): unknown {
      return deep();
    },
    noUri: () => decodeURI("%"),
    noProperty: () => (undefined as unknown as { a: unknown }).a,
    promise: () => Promise.resolve(),
    stack: () => new DisposableStack(),
    asyncStack: () => new AsyncDisposableStack(),
    reference: () => new WeakRef({}),
    proxy: () => Proxy.revocable({}, {}),
    now: () => (globalThis as { Temporal?: unknown }).Temporal,
  };
  return Object.entries(steps).map(([name, step]): Found => {
    try {
      return [name, step()];
    } catch (error) {
      return [`what ${name} throws`, error];
    }
  });
}

function scan(): Scan {
  const fresh = makeFresh();
  const own = new Set(fresh.map(([, value]) => value));
  // A generator function brings a prototype of its own, as fresh as its calls.
  for (const value of [...own]) {
    const made = Object.prototype.toString.call(value);
    if (/Generator\]/.test(made)) own.add(Object.getPrototypeOf(value));
  }
  const waiting: Found[] = [
    ["globalThis", globalThis],
    ["kit", serviceKit],
    ...fresh,
  ];
  const seen = new Set<unknown>();
  const open: string[] = [];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const [way, value] = next;
    const isObject = typeof value === "object" && value !== null;
    if (!isObject && typeof value !== "function" || seen.has(value)) continue;
    seen.add(value);
    const changeable = Object.isExtensible(value) ? ["new names"] : [];
    for (const key of Reflect.ownKeys(value)) {
      const each = Reflect.getOwnPropertyDescriptor(value, key)!;
      if (each.configurable || each.writable) changeable.push(String(key));
      waiting.push([`${way}.${String(key)}`, each.value]);
      waiting.push([`the getter of ${way}.${String(key)}`, each.get]);
      waiting.push([`the setter of ${way}.${String(key)}`, each.set]);
    }
    waiting.push([`the prototype of ${way}`, Reflect.getPrototypeOf(value)]);
    if (changeable.length > 0 && !isTheirs(value, own)) {
      open.push(`${way}: ${changeable.join(", ")}`);
    }
  }
  return { objects: seen.size, open, names: namesOf(globalThis) };
}

function namesOf(scope: object | null): string[] {
  if (scope === null || scope === Object.prototype) return [];
  return [
    ...Object.getOwnPropertyNames(scope)
      .filter((name) => Reflect.get(globalThis, name) !== undefined),
    ...namesOf(Reflect.getPrototypeOf(scope)),
  ];
}

/** Fresh objects, and what lies in them as data, are the module's own. */
function isTheirs(value: object, own: ReadonlySet<unknown>): boolean {
  if (own.has(value)) return true;
  for (const one of own) {
    if (typeof one !== "object" || one === null) continue;
    for (const key of Reflect.ownKeys(one)) {
      if (Reflect.getOwnPropertyDescriptor(one, key)?.value === value) {
        return true;
      }
    }
  }
  return false;
}

const scope = globalThis as unknown as {
  onmessage: ((event: MessageEvent<MessagePort>) => void) | null;
};
scope.onmessage = ({ data: port }) => {
  scope.onmessage = null;
  harden(serviceKit, () => {});
  port.postMessage(scan());
};
