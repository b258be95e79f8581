/**
 * Makes what code from a third party shares with the shell of its worker
 * read-only, before any of it runs: it cannot change what a method does and so
 * get at the ports, which only the shell holds. What it breaks is its own in any
 * case; nothing outside the worker believes a word of it.
 */

/**
 * Names through which messages come to a worker. The runtime itself needs
 * `dispatchEvent` and the classes of events for errors that nobody caught.
 */
const SHELL_ONLY = [
  "onmessage",
  "onerror",
  "onunhandledrejection",
  "addEventListener",
  "removeEventListener",
  "MessagePort",
  "MessageEvent",
];

/** Takes from the worker's scope what only its shell needed, and freezes the rest and `kit`. */
export function harden(kit: object): void {
  const { MessagePort } = globalThis;
  const { prototype } = MessagePort;
  // What the runtime puts in place at the first use is to be there.
  queueMicrotask(() => {});
  clearTimeout(setTimeout(() => {}));
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
  for (const target of [Object, Function, Error, MessagePort]) {
    letAssign(target.prototype);
  }
  const frozen = new Set<object>([globalThis]);
  for (const root of [prototype, kit, ...hidden(), ...Object.values(own())]) {
    freezeAll(root, frozen);
  }
  for (const name of Reflect.ownKeys(globalThis)) fix(name);
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

/** The globals that are objects. */
function own(): Record<PropertyKey, unknown> {
  const globals: Record<PropertyKey, unknown> = {};
  for (const name of Reflect.ownKeys(globalThis)) {
    globals[name] = Reflect.get(globalThis, name);
  }
  return globals;
}

/** What the language has without a name. */
function hidden(): unknown[] {
  return [
    [][Symbol.iterator](),
    new Map().entries(),
    new Set().values(),
    ""[Symbol.iterator](),
    "".matchAll(/./g),
    Iterator.from([]).map((each) => each),
    function* () {},
    async () => {},
    async function* () {},
    Object.getPrototypeOf(Uint8Array),
    Object.getPrototypeOf(globalThis),
  ];
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
