/**
 * Ways by which a third party's service could have its shell post an object with
 * the runtime's mark on it: the receiver of such a message ends its process
 * (services/core/plain.ts).
 */

import type { Counts } from "../../caps/driver/accounts.ts";

/** A service that tries one, and what must become of it. */
export interface Way {
  /** Statements before its core. */
  readonly before?: string;
  /** Members of its core, over those of one that does nothing. */
  readonly core?: string;
  /** Fields of the service over `receives`, `sends` and `make`. */
  readonly service?: string;
  /** The packets that it may receive; a port of its own by default. */
  readonly receives?: string;
  /** Why it fails; it runs on if there is nothing. */
  readonly fails?: RegExp;
  /** What it counts where it runs on. */
  readonly counts?: Counts;
}

/** Makes `marked` of nothing but what a confined module has. */
const MARK = `
  let brand;
  try {
    crypto.getRandomValues(new Float64Array(1));
  } catch (error) {
    brand = Reflect.ownKeys(error).find((key) =>
      String(key) === "Symbol(Deno.core.hostObject)"
    );
  }
  if (brand === undefined) throw new Error("the mark was not found");
  const marked = { [brand]: () => ({ type: "nonesuch" }) };
  // The system is asked for snapshots in quick succession once all of it runs.
  let counts = {};
  const asked = [];
  const wasAsked = () => {
    asked.push(performance.now());
    if (asked.length > 3) asked.shift();
    return counts;
  };
  const allRun = () => asked.length === 3 && asked[2] - asked[0] < 900;
  const whenAllRun = (make) => (wasAsked(), allRun() ? make() : {});
  const later = (step) => { let at = 0; return {
    get wakeAt() { return at; },
    wake(now, out) {
      at = allRun() ? Infinity : now + 20_000;
      if (at === Infinity) step(out);
    },
  }; };`;

/** The text of a module that goes this way. */
export function moduleOf(
  { before = "", core = "", service = "" }: Way,
): string {
  return `${MARK}
    ${before}
    export default (kit) => ({
      receives: () => [{}],
      sends: () => [{}],
      make: (settings) => {
        const core = { wakeAt: Infinity, wake() {}, receive: () => "handled", counters: () => ({}) };
        return Object.defineProperties(core, Object.getOwnPropertyDescriptors({ ${core} }));
      },
      ${service}
    });`;
}

/** Members of a core that takes a step once the whole system runs. */
function laterOn(step: string): string {
  return `...{}, l: later((out) => { ${step} }),
    get wakeAt() { return this.l.wakeAt; },
    wake(now, out) { this.l.wake(now, out); },
    counters: () => wasAsked()`;
}

/** Ways of a service that runs. */
export const RUNNING: Readonly<Record<string, Way>> = {
  "counts-marked": {
    core: "counters: () => ({ ...marked, a: 1 })",
    counts: { a: 1 },
  },
  "counts-inherited": {
    core:
      "counters: () => Object.create(marked, { a: { value: 1, enumerable: true } })",
    counts: { a: 1 },
  },
  "counts-by-proxy": {
    core:
      "counters: () => new Proxy({ a: 1 }, { has: () => true, get: (all, key) => key === brand ? marked[brand] : all[key] })",
    counts: { a: 1 },
  },
  "counts-of-objects": {
    core: "counters: () => whenAllRun(() => ({ a: marked }))",
    fails: /^counters\(\) gave a value of type object as "a"; expected/,
  },
  "counts-by-getter": {
    core: "counters: () => whenAllRun(() => ({ get a() { return marked; } }))",
    fails: /^counters\(\) gave a value of type object as "a"; expected/,
  },
  "counts-without-end": {
    core:
      "counters: () => whenAllRun(() => Object.fromEntries(Array.from({ length: 65 }, (_, i) => [i, i])))",
    fails: /^counters\(\) gave 65 counts; expected at most 64$/,
  },
  "throws-marked": {
    core: laterOn('throw Object.assign(new Error("thrown"), marked);'),
    fails: /^thrown$/,
  },
  "throws-a-message": {
    core: laterOn(
      'throw Object.defineProperty(new Error("x"), "message", { value: marked });',
    ),
    fails: /^\[object Object\]$/,
  },
  "throws-no-text": {
    core: laterOn("throw Object.assign(Object.create(null), marked);"),
    fails: /^it threw what cannot be shown$/,
  },
  "rejects-marked": {
    core: laterOn(
      'Promise.reject(Object.assign(new Error("rejected"), marked));',
    ),
    fails: /^rejected$/,
  },
  "rejects-a-message": {
    core: laterOn(
      'Promise.reject(Object.defineProperty(new Error("x"), "message", { value: marked }));',
    ),
    fails: /^\[object Object\]$/,
  },
  "throws-in-a-timer": {
    core: laterOn(
      'setTimeout(() => { throw Object.assign(new Error("late"), marked); });',
    ),
    fails: /late/,
  },
  "reports-marked": { core: laterOn("reportError(marked);"), fails: /./ },
  "clones": {
    core: `
      counters() {
        let open = 0;
        const attempt = (step) => { try { step(); open++; } catch { /* closed */ } };
        attempt(() => structuredClone(marked));
        attempt(() => performance.mark("x", { detail: marked }));
        attempt(() => performance.measure("x", { start: 0, detail: marked }));
        attempt(() => performance.constructor.prototype.mark.call(performance, "x", { detail: marked }));
        attempt(() => new MessageChannel().port1.postMessage(marked));
        attempt(() => postMessage(marked));
        attempt(() => new MessagePort());
        attempt(() => new DOMException("x"));
        return { open };
      }`,
    counts: { open: 0 },
  },
  "outbox": {
    before: `
      let open = 0;
      const attempt = (step) => { try { if (step()) open++; } catch { /* closed */ } };`,
    core: `${
      laterOn(`
        for (let at = out; at !== null; at = Object.getPrototypeOf(at)) {
          for (const key of Reflect.ownKeys(at)) {
            attempt(() => { const mine = () => marked; at[key] = mine; return at[key] === mine; });
          }
          attempt(() => Object.defineProperty(at, brand, { value: marked[brand] }));
          attempt(() => Object.setPrototypeOf(at, marked));
        }
        for (const name of ["reconnect", "tell", "counters"]) attempt(() => out[name]);
        counts = { open };`)
    }`,
    counts: { open: 0 },
  },
  "prototypes": {
    before: `
      let open = 0;
      const everything = [
        Object, Function, Array, String, Number, Boolean, Symbol, BigInt, Error,
        Map, Set, Promise, ArrayBuffer, Uint8Array, DataView,
      ].flatMap((one) => [one.prototype, Object.getPrototypeOf(one.prototype)]);
      for (const target of everything) {
        if (target === null) continue;
        if (Reflect.defineProperty(target, brand, { value: marked[brand] })) open++;
        if (Reflect.setPrototypeOf(target, marked)) open++;
      }`,
    core: "counters: () => ({ open })",
    counts: { open: 0 },
  },
  "verdict": {
    receives: "udp dst portrange 1024-20000",
    core: "receive: () => marked",
  },
  "frame": {
    receives: "udp dst portrange 20001-40000",
    core:
      'receive(frame) { frame.bytes = frame.start = frame.length = frame.capacity = marked; return "reply"; }',
  },
  "buffer": {
    receives: "udp dst portrange 40001-60000",
    core: `receive(frame) {
      const { buffer } = frame.bytes;
      Object.assign(buffer, marked);
      Object.setPrototypeOf(buffer, Object.assign(Object.create(ArrayBuffer.prototype), marked));
      return "reply";
    }`,
    fails: /^the core changed what a buffer of its frames is$/,
  },
  "sends-marked": {
    core: laterOn(`
      const frame = out.open({ valueOf: () => 60, ...marked });
      frame.bytes = marked;
      frame.length = { valueOf: () => 60, ...marked };
      out.send();
      counts = { sent: 1 };`),
    counts: { sent: 1 },
  },
  "sends-another-buffer": {
    core: laterOn(`
      const frame = out.open(60);
      frame.length = 60;
      const other = Object.setPrototypeOf({ ...marked }, ArrayBuffer.prototype);
      Object.defineProperty(frame.bytes, "buffer", { value: other });
      out.send();
      counts = { sent: 1 };`),
    counts: { sent: 1 },
  },
  "sends-a-changed-buffer": {
    core: laterOn(`
      const frame = out.open(60);
      frame.length = 60;
      Object.setPrototypeOf(frame.bytes.buffer, new Proxy({}, { get: (_, key) =>
        key === brand ? () => ({ type: "ReadableStream" }) : undefined }));
      out.send();`),
    fails: /^the core changed what a buffer of its frames is$/,
  },
};

/** Ways of a service that starts. */
export const STARTING: Readonly<Record<string, Way & { fails: RegExp }>> = {
  "asks-marked": {
    service: "receives: () => Object.assign([{ payload: marked }], marked)",
    fails: /did not start: .*kind: expected "type"/,
  },
  "asks-for-functions": {
    service: "sends: () => [{ payload: marked[brand] }]",
    fails: /did not start: the service gave a value of type function/,
  },
  "asks-without-end": {
    service:
      "receives: () => { const list = []; list.push(list); return list; }",
    fails: /did not start: the service gave what is too large/,
  },
  "throws-while-loaded": {
    before:
      'throw Object.defineProperty(new Error("x"), "message", { value: marked });',
    fails: /did not start: \[object Object\]/,
  },
};
