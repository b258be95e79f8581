/**
 * Takes away what a worker finds around it. A shell imports this before
 * everything else, so that nothing that runs after it finds more than the
 * language and what its ports give.
 *
 * A worker without permissions still has channels: BroadcastChannel reaches
 * every other thread, `Worker` starts new ones, `caches` stores. What is not on
 * the list here is removed, so that a newer runtime adds nothing.
 */

// These keep what they need for themselves. A CommonJS package comes through the
// runtime's Node layer, which itself needs what is taken away below: it is loaded
// before.
import "ipaddr.js";
import "../../caps/port/port.ts";
import "./memory_usage.ts";
import "./event_turn.ts";
import "./process/standard_streams.ts";

/** The language itself, and what a core may use besides: timers, text, random numbers, its ports. */
const KEPT = new Set<PropertyKey>(
  `
  Object Function Array Number parseFloat parseInt Infinity NaN undefined Boolean
  String Symbol Date Promise RegExp Error AggregateError EvalError RangeError
  ReferenceError SyntaxError TypeError URIError SuppressedError globalThis self
  JSON Math Intl Temporal ArrayBuffer Atomics DataView Uint8Array Int8Array
  Uint16Array Int16Array Uint32Array Int32Array Float16Array Float32Array
  Float64Array Uint8ClampedArray BigUint64Array BigInt64Array Map BigInt Set
  WeakMap WeakSet WeakRef Iterator Proxy Reflect FinalizationRegistry
  WebAssembly DisposableStack AsyncDisposableStack decodeURI decodeURIComponent encodeURI
  encodeURIComponent escape unescape isFinite isNaN setTimeout
  clearTimeout setInterval clearInterval queueMicrotask performance
  TextEncoder TextDecoder crypto MessagePort MessageEvent Event
  EventTarget ErrorEvent PromiseRejectionEvent onmessage onerror
  onunhandledrejection addEventListener removeEventListener dispatchEvent
  reportError
  `.trim().split(/\s+/),
);

keepOnlyTheClock();
confine();
forbidCodeFromText();

/**
 * Of `performance` the time is left: a mark clones what it is given, and what
 * can be cloned can end the process (services/core/plain.ts).
 */
function keepOnlyTheClock(): void {
  const { timeOrigin } = performance;
  const now = performance.now.bind(performance);
  Object.defineProperty(globalThis, "performance", {
    value: Object.freeze({ now, timeOrigin }),
    writable: false,
    configurable: false,
  });
}

function confine(): void {
  let scope: object | null = globalThis;
  // Along the prototypes: `close` and `postMessage` are inherited.
  while (
    scope !== null && scope !== Object.prototype &&
    scope !== EventTarget.prototype
  ) {
    for (const key of Reflect.ownKeys(scope)) {
      if (typeof key === "symbol" || key === "constructor" || KEPT.has(key)) {
        continue;
      }
      if (!Reflect.deleteProperty(scope, key)) hide(scope, key);
    }
    scope = Reflect.getPrototypeOf(scope);
  }
}

/** What cannot be deleted is covered, if the runtime lets it be written. */
function hide(scope: object, key: PropertyKey): void {
  Reflect.set(scope, key, undefined);
}

/**
 * A function can be made of text by the constructor of each of the four kinds of
 * functions, which every function of that kind shows. (`eval` is a global, and
 * gone.) Where the process runs with V8's flag for this, it is off already.
 */
function forbidCodeFromText(): void {
  for (
    const { constructor } of [
      function () {},
      async () => {},
      function* () {},
      async function* () {},
    ]
  ) {
    const { name, prototype } = constructor;
    const refuse = {
      [name]: function () {
        throw new EvalError("no code is made of text in a confined worker");
      },
    }[name]!;
    Object.defineProperty(refuse, "prototype", {
      value: prototype,
      writable: false,
    });
    Object.defineProperty(prototype, "constructor", {
      value: refuse,
      writable: false,
      configurable: false,
    });
    if (Object.hasOwn(globalThis, name)) {
      Reflect.set(globalThis, name, refuse);
    }
  }
}
