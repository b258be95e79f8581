/** What a module has of the runtime, function by function. */

import {
  deepEqual,
  equal,
  match,
  notEqual,
  ok,
  throws,
} from "node:assert/strict";
import { makeModuleScope } from "../../../services/loader/module_scope.ts";

type Timer = (callback: unknown, ...rest: unknown[]) => object;

interface Scope {
  readonly setTimeout: Timer;
  readonly setInterval: Timer;
  readonly clearTimeout: (token: unknown) => void;
  readonly clearInterval: (token: unknown) => void;
  readonly queueMicrotask: (callback: unknown) => void;
  readonly reportError: (error: unknown) => void;
  readonly crypto: Crypto;
}

/** A scope, and what its callbacks threw. */
function makeScope(): { scope: Scope; failures: unknown[] } {
  const failures: unknown[] = [];
  const made = makeModuleScope((error) => failures.push(error));
  return { scope: made as unknown as Scope, failures };
}

/** A timer of the runtime's that was set. */
interface Set {
  readonly kind: "timeout" | "interval";
  readonly delayMs: unknown;
  readonly fire: () => void;
  cleared: boolean;
}

/** A scope whose timers the test fires. */
function makeTimed(): { scope: Scope; failures: unknown[]; set: Set[] } {
  const set: Set[] = [];
  const { setTimeout, setInterval, clearTimeout, clearInterval } = globalThis;
  const fake = (kind: Set["kind"]) => (fire: () => void, delayMs: unknown) => {
    set.push({ kind, delayMs, fire, cleared: false });
    return set.length - 1;
  };
  const clear = (kind: Set["kind"]) => (which: number) => {
    equal(set[which]!.kind, kind);
    set[which]!.cleared = true;
  };
  try {
    Object.assign(globalThis, {
      setTimeout: fake("timeout"),
      setInterval: fake("interval"),
      clearTimeout: clear("timeout"),
      clearInterval: clear("interval"),
    });
    return { ...makeScope(), set };
  } finally {
    Object.assign(globalThis, {
      ...{ setTimeout, setInterval, clearTimeout, clearInterval },
    });
  }
}

Deno.test("a timer calls its function with what was given, a timeout once, and is cleared by its token", () => {
  const { scope, set } = makeTimed();
  const calls: unknown[][] = [];
  const callback = (...given: unknown[]) => calls.push(given);
  const timeout = scope.setTimeout(callback, 5, "a", 1);
  const interval = scope.setInterval(callback, 7, "b");
  deepEqual(set.map(({ kind, delayMs }) => [kind, delayMs]), [
    ...[["timeout", 5], ["interval", 7]],
  ]);
  for (const { fire } of set) fire();
  set[1]!.fire();
  deepEqual(calls, [["a", 1], ["b"], ["b"]]);
  scope.clearTimeout(timeout); // it has fired
  equal(set[0]!.cleared, false);
  for (const odd of [undefined, null, 0, 1, {}, "x"]) scope.clearTimeout(odd);
  equal(set[1]!.cleared, false);
  // Either function clears either, as everywhere.
  scope.clearTimeout(interval);
  equal(set[1]!.cleared, true);
  const second = scope.setTimeout(callback);
  scope.clearInterval(second);
  equal(set[2]!.cleared, true);
  set[2]!.cleared = false;
  scope.clearTimeout(second);
  equal(set[2]!.cleared, false);
});

Deno.test("a token says nothing, cannot be changed, and is no other's", () => {
  const { scope } = makeTimed();
  const tokens = [scope.setTimeout(() => {}), scope.setInterval(() => {})];
  for (const token of tokens) {
    equal(Object.getPrototypeOf(token), null);
    deepEqual(Reflect.ownKeys(token), []);
    ok(Object.isFrozen(token));
  }
  notEqual(tokens[0], tokens[1]);
});

Deno.test("a delay is whole milliseconds that the runtime takes", () => {
  const most = 2 ** 31 - 1;
  const delays: readonly (readonly [given: unknown, delayMs: number])[] = [
    ...[[-5, 0], [NaN, 0], [0, 0], [0.5, 0], [1, 1], [1.9, 1]] as const,
    ...[["7", 7], ["x", 0], [undefined, 0], [null, 0], [{}, 0]] as const,
    ...[[most, most], [most + 1, most], [Infinity, most]] as const,
  ];
  const { scope, set } = makeTimed();
  for (const [given] of delays) {
    scope.setTimeout(() => {}, given);
    scope.setInterval(() => {}, given);
  }
  deepEqual(
    set.map(({ delayMs }) => delayMs),
    delays.flatMap(([, delayMs]) => [delayMs, delayMs]),
  );
});

Deno.test("10,000 timers wait at once; one more is refused until one has fired or was cleared", () => {
  const { scope, set } = makeTimed();
  const tokens: object[] = [];
  for (let i = 0; i < 10_000; i++) {
    tokens.push((i % 2 ? scope.setTimeout : scope.setInterval)(() => {}, i));
  }
  const isFull = () => {
    for (const name of ["setTimeout", "setInterval"] as const) {
      throws(() => scope[name](() => {}), {
        name: "RangeError",
        message: `${name}: a service has at most 10000 timers at once`,
      });
    }
  };
  isFull();
  equal(set.length, 10_000);
  scope.clearInterval(tokens[0]);
  scope.setTimeout(() => {});
  isFull();
  set[1]!.fire();
  scope.setInterval(() => {});
  isFull();
  // An interval that fired waits still.
  set[2]!.fire();
  isFull();
});

Deno.test("whatever a callback throws is told, and nothing else is stopped by it", async () => {
  const { scope, failures } = makeScope();
  const timed = makeTimed();
  const error = new Error("mine");
  const fail = () => {
    throw error;
  };
  scope.queueMicrotask(fail);
  deepEqual(failures, []);
  let ran = false;
  scope.queueMicrotask((...all: unknown[]) => void (ran = all.length === 0));
  await Promise.resolve();
  await Promise.resolve();
  deepEqual([failures[0] === error, failures.length, ran], [true, 1, true]);
  scope.reportError(error);
  equal(failures[1], error);
  timed.scope.setTimeout(fail);
  timed.scope.setInterval(fail);
  for (const { fire } of timed.set) fire();
  equal(timed.failures.filter((one) => one === error).length, 2);
});

Deno.test("what is no function is no callback, and that is said by name", () => {
  const { scope, set } = makeTimed();
  for (const name of ["setTimeout", "setInterval", "queueMicrotask"] as const) {
    for (const odd of ["text", undefined, null, {}, 7]) {
      throws(() => scope[name](odd), {
        name: "TypeError",
        message: `${name} takes a function; got a ${typeof odd}`,
      });
    }
  }
  equal(set.length, 0);
});

Deno.test("real timers fire, too", async () => {
  const { scope, failures } = makeScope();
  const given = await new Promise((resolve) => scope.setTimeout(resolve, 1, 7));
  equal(given, 7);
  const token = scope.setTimeout(() => failures.push("it fired"), 5);
  scope.clearTimeout(token);
  let times = 0;
  await new Promise<void>((resolve) => {
    const every = scope.setInterval(() => {
      if (++times === 3) {
        scope.clearInterval(every);
        resolve();
      }
    }, 1);
  });
  await new Promise((resolve) => setTimeout(resolve, 20));
  deepEqual([times, failures], [3, []]);
});

Deno.test("random numbers are there, 65,536 bytes at once, and no other power of crypto's", () => {
  const { crypto } = makeScope().scope;
  deepEqual(Object.keys(crypto).sort(), ["getRandomValues", "randomUUID"]);
  const bytes = new Uint8Array(65_536);
  equal(crypto.getRandomValues(bytes), bytes);
  ok(new Set(bytes).size > 200);
  for (const odd of [new Uint8Array(65_537), new ArrayBuffer(8), [], null]) {
    throws(() => crypto.getRandomValues(odd as Uint8Array<ArrayBuffer>), {
      name: "RangeError",
      message: "getRandomValues: expected an array of at most 65536 bytes",
    });
  }
  match(crypto.randomUUID(), /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  notEqual(crypto.randomUUID(), crypto.randomUUID());
});
