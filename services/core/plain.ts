/**
 * Plain data out of what a service's own code made, before its shell posts it.
 *
 * Deno tells its own objects in a message (ports, DOMExceptions) by a property
 * that any object can have: every DOMException shows the symbol. Where such a
 * property promises what the runtime does not know, the receiver of the message
 * does not throw but ends the whole process (Deno 2.9.6). So nothing crosses
 * that a service's code made: numbers and short strings are taken out of it,
 * each read once, and put in objects of ours.
 */

import type { Counts } from "../../caps/driver/accounts.ts";

/** The most counts that a service may show. */
export const COUNTS_MAX = 64;

/** The longest name of a count, and of a field of anything else. */
export const NAME_LENGTH_MAX = 64;

/** The longest text. */
const TEXT_LENGTH_MAX = 1000;

/** How deep lists and records may lie in each other: a grant's do 5. */
const DEPTH_MAX = 8;

/** Values in one copy: a grant of 64 conjunctions has fewer than 5,000. */
const VALUES_MAX = 16_384;

/** Kept here: what a core does to its own does not reach it. */
const PLAIN_BUFFER = ArrayBuffer.prototype;

/**
 * Throws when a core has changed what a buffer of its frames is. The runtime
 * takes what is to be transferred for a buffer by its prototype alone: another
 * one has it read the core's own properties for those of a stream, and post from
 * there.
 */
export function requirePlainBuffer(buffer: ArrayBuffer): void {
  if (Object.getPrototypeOf(buffer) === PLAIN_BUFFER) return;
  throw new TypeError("the core changed what a buffer of its frames is");
}

/** What was thrown, in words. */
export function plainText(thrown: unknown): string {
  try {
    const text: unknown = thrown instanceof Error ? thrown.message : thrown;
    return String(text).slice(0, TEXT_LENGTH_MAX);
  } catch {
    return "it threw what cannot be shown";
  }
}

/**
 * The counts in `made`: its own, by name.
 * @throws {TypeError} for what is not a count.
 */
export function plainCounts(made: unknown): Counts {
  if (typeof made !== "object" || made === null) {
    throw new TypeError(`counters() gave ${kindOf(made)}; expected a record`);
  }
  const names = Object.keys(made);
  if (names.length > COUNTS_MAX) {
    throw new TypeError(
      `counters() gave ${names.length} counts; expected at most ${COUNTS_MAX}`,
    );
  }
  return Object.fromEntries(
    names.map((name) => [nameOf(name), countOf(name, Reflect.get(made, name))]),
  );
}

/**
 * A copy of `made` in which there is nothing but lists, records, numbers, texts
 * and truth values.
 * @throws {TypeError} for anything else, and for what is too large.
 */
export function plainCopy(made: unknown): unknown {
  let left = VALUES_MAX;
  const copy = (value: unknown, depth: number): unknown => {
    if (--left < 0 || depth > DEPTH_MAX) {
      throw new TypeError("the service gave what is too large for a message");
    }
    switch (typeof value) {
      case "number":
      case "boolean":
      case "undefined":
        return value;
      case "string":
        return value.slice(0, TEXT_LENGTH_MAX);
    }
    if (typeof value !== "object" || value === null) {
      throw new TypeError(`the service gave ${kindOf(value)} in a grant`);
    }
    if (!Array.isArray(value)) {
      return Object.fromEntries(
        Object.keys(value).map((name) => [
          nameOf(name),
          copy(Reflect.get(value, name), depth + 1),
        ]),
      );
    }
    const items: unknown[] = [];
    for (let i = 0; i < value.length; i++) {
      items.push(copy(value[i], depth + 1));
    }
    return items;
  };
  return copy(made, 0);
}

function countOf(name: string, count: unknown): number {
  if (typeof count === "number" && Number.isSafeInteger(count) && count >= 0) {
    return count;
  }
  const what = typeof count === "number" ? String(count) : kindOf(count);
  throw new TypeError(
    `counters() gave ${what} as "${name}"; expected a whole number from 0 on`,
  );
}

function nameOf(name: string): string {
  if (name.length <= NAME_LENGTH_MAX) return name;
  throw new TypeError(
    `the service gave a name of ${name.length} characters; expected at most ${NAME_LENGTH_MAX}`,
  );
}

function kindOf(value: unknown): string {
  return value === null ? "null" : `a value of type ${typeof value}`;
}
