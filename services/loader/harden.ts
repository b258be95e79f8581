/**
 * Makes what code from a third party shares with the shell of its worker
 * read-only, before any of it runs: it cannot change what a method does and so
 * get at the ports, which only the shell holds. What it breaks is its own in any
 * case; nothing outside the worker believes a word of it.
 */

import { makeModuleScope } from "./module_scope.ts";

/**
 * Names through which messages and events come to a worker: the shell has taken
 * its ports, and the runtime calls what it registered, not what is named. It
 * does need `Event`, for a port that is closed.
 */
const SHELL_ONLY = [
  "onmessage",
  "onerror",
  "onunhandledrejection",
  "addEventListener",
  "removeEventListener",
  "MessagePort",
  "MessageEvent",
  "EventTarget",
  "ErrorEvent",
  "PromiseRejectionEvent",
  // Its callbacks would be called by the runtime, which prints what they throw.
  "FinalizationRegistry",
];

/**
 * Takes from the worker's scope what only its shell needed, puts the module's
 * own timers and random numbers in place, and freezes the rest and `kit`.
 * `fail` is called with whatever the module's callbacks throw.
 */
export function harden(kit: object, fail: (error: unknown) => void): void {
  const { EventTarget, MessagePort } = globalThis;
  const { prototype } = MessagePort;
  const nameless = namelessObjects();
  // What the runtime puts in place at the first use is to be there.
  queueMicrotask(() => {});
  for (const [name, value] of Object.entries(makeModuleScope(fail))) {
    Object.defineProperty(globalThis, name, { value });
  }
  for (let scope: object | null = globalThis; scope !== null;) {
    for (const name of SHELL_ONLY) {
      if (!Object.hasOwn(scope, name)) continue;
      // On EventTarget's prototype ports have them too.
      if (scope === EventTarget.prototype) cover(name);
      else if (!Reflect.deleteProperty(scope, name)) cover(name);
    }
    scope = Reflect.getPrototypeOf(scope);
  }
  // To a new port the runtime itself assigns.
  for (const target of [Object, Function, MessagePort, ...errorKinds()]) {
    letAssign(target.prototype);
  }
  const frozen = new Set<object>([globalThis]);
  for (
    const root of [
      prototype,
      EventTarget.prototype,
      kit,
      ...nameless,
      ...globals(),
    ]
  ) {
    freezeAll(root, frozen);
  }
  for (const name of Reflect.ownKeys(globalThis)) fix(name);
  // The runtime looks some names up that are gone: nobody may put them there.
  Object.preventExtensions(globalThis);
}

/** Hides an inherited name behind an own one. */
function cover(name: string): void {
  Object.defineProperty(globalThis, name, { value: undefined });
}

/** A global stays what it is, those too that the runtime would let be set. */
function fix(name: PropertyKey): void {
  const was = Reflect.getOwnPropertyDescriptor(globalThis, name);
  if (was?.configurable !== true) return;
  const value: unknown = Reflect.get(globalThis, name);
  Object.defineProperty(globalThis, name, {
    value,
    configurable: false,
    writable: false,
  });
}

/** The globals' values, those behind symbols included: the runtime keeps the scope's listeners there. */
function globals(): unknown[] {
  return Reflect.ownKeys(globalThis).map((name) =>
    Reflect.get(globalThis, name)
  );
}

/** The classes of errors: `Error`, and those that have a `name` and a `message` of their own. */
function errorKinds(): ErrorConstructor[] {
  return globals().filter((value): value is ErrorConstructor =>
    value === Error ||
    typeof value === "function" && value.prototype instanceof Error
  );
}

/**
 * One of each kind of object that the language and the runtime make without a
 * name for its prototype: syntax makes them, or a call. tests/services/loader/
 * scan_test.ts looks for what is missing here.
 */
function namelessObjects(): unknown[] {
  const segments = new Intl.Segmenter().segment("");
  const timer = setTimeout(() => {});
  clearTimeout(timer);
  return [
    [][Symbol.iterator](),
    new Map().entries(),
    new Set().values(),
    ""[Symbol.iterator](),
    "".matchAll(/./g),
    Iterator.from([]).map((each) => each),
    // An iterator that is none of the language's own is wrapped.
    Iterator.from({ next: () => ({ done: true, value: undefined }) }),
    segments,
    segments[Symbol.iterator](),
    function* () {},
    (function* () {})(),
    async () => {},
    async function* () {},
    (async function* () {})(),
    Object.getPrototypeOf(Uint8Array),
    Object.getPrototypeOf(globalThis),
    // The accessors of its stack are the same for every error.
    new Error(),
    domException(),
    sharedMemory().buffer,
    Object.getPrototypeOf(timer),
  ];
}

/** What the runtime throws where the web's standards ask for it: more random bytes than one call gives. */
function domException(): unknown {
  try {
    return crypto.getRandomValues(new Uint8Array(65_537));
  } catch (error) {
    return error;
  }
}

/** Shared memory has a name in no confined worker, and every Wasm memory shows its class. */
function sharedMemory(): WebAssembly.Memory {
  return new WebAssembly.Memory({ initial: 0, maximum: 0, shared: true });
}

/**
 * Where a prototype's property cannot be written, an assignment to an object
 * that inherits it fails too (`error.name = …`): so the names that programs
 * assign to are accessors that define them on the object.
 */
function letAssign(prototype: object): void {
  for (const name of Object.getOwnPropertyNames(prototype)) {
    const was = Reflect.getOwnPropertyDescriptor(prototype, name)!;
    if (!("value" in was) || !was.configurable) continue;
    const { value } = was;
    Object.defineProperty(prototype, name, {
      configurable: false,
      enumerable: false,
      get: () => value,
      set(this: object, next: unknown) {
        if (this === prototype) throw new TypeError(`${name} is read-only`);
        Object.defineProperty(this, name, {
          value: next,
          configurable: true,
          enumerable: true,
          writable: true,
        });
      },
    });
  }
}

/** Freezes `root` and all that can be reached from it by properties and prototypes. */
function freezeAll(root: unknown, frozen: Set<object>): void {
  const waiting = [root];
  while (waiting.length > 0) {
    const one = waiting.pop();
    if (
      typeof one !== "function" && (typeof one !== "object" || one === null)
    ) {
      continue;
    }
    if (frozen.has(one)) continue;
    frozen.add(one);
    if (!ArrayBuffer.isView(one)) Object.freeze(one);
    waiting.push(Reflect.getPrototypeOf(one));
    for (const name of Reflect.ownKeys(one)) {
      const each = Reflect.getOwnPropertyDescriptor(one, name)!;
      waiting.push(each.value, each.get, each.set);
    }
  }
}
