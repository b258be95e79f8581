/** A hardened worker that assigns to what inherits from frozen prototypes, and to those themselves. */

import "../../../services/runtime/confine.ts";
import { harden } from "../../../services/loader/harden.ts";

/** What an assignment came to: a property of its own, or what was thrown. */
function assigned(target: object, name: string): string {
  const value = () => 7;
  try {
    Reflect.apply(
      (one: Record<string, unknown>) => one[name] = value,
      undefined,
      [target],
    );
  } catch (error) {
    return (error as Error).name;
  }
  const own = Reflect.getOwnPropertyDescriptor(target, name);
  const { configurable, enumerable, writable } = own ?? {};
  return own?.value === value && configurable && enumerable && writable
    ? "its own"
    : `${JSON.stringify(own)}`;
}

function outcomes(): Record<string, string> {
  const [object, callable, one] = [{}, () => {}, new (class A {})()];
  const errors = [
    ...[Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError],
    ...[URIError, AggregateError, SuppressedError],
    class Mine extends RangeError {},
  ] as { readonly name: string; readonly prototype: object }[];
  return {
    ...Object.fromEntries(
      errors.flatMap((Kind) =>
        ["name", "message", "toString"].map((name) => [
          `${Kind.name}'s ${name}`,
          assigned(Object.create(Kind.prototype), name),
        ])
      ),
    ),
    "an object's toString": assigned(object, "toString"),
    "an object's constructor": assigned(one, "constructor"),
    "a function's call": assigned(callable, "call"),
    "Object.prototype's toString": assigned(Object.prototype, "toString"),
    "Function.prototype's call": assigned(Function.prototype, "call"),
    "Error.prototype's name": assigned(Error.prototype, "name"),
    "Array.prototype's push": assigned(Array.prototype, "push"),
    "a new name of Object.prototype": assigned(Object.prototype, "mine"),
    "a new global": assigned(globalThis, "mine"),
    "setTimeout": assigned(globalThis, "setTimeout"),
    "Map": assigned(globalThis, "Map"),
    "undefined": assigned(globalThis, "onmessage"),
  };
}

/** What others see afterwards. */
function seen(): unknown[] {
  return [
    new Error("x").name,
    new TypeError("y").message,
    String({}),
    (() => 3).call(undefined),
    [1].concat([2]).length,
    Object.keys({}).length,
    Object.keys(() => {}).length,
    Object.keys(new Error("x")).length,
  ];
}

const scope = globalThis as unknown as {
  onmessage: ((event: MessageEvent<MessagePort>) => void) | null;
};
scope.onmessage = ({ data: port }) => {
  scope.onmessage = null;
  const failures: string[] = [];
  const bytes = new Uint8Array(4);
  harden({ part: { bytes } }, (error) => failures.push(String(error)));
  const came = outcomes();
  queueMicrotask(() => {
    throw new Error("late");
  });
  queueMicrotask(() =>
    port.postMessage({ outcomes: came, seen: seen(), failures })
  );
};
