/**
 * What a third party's module has of the runtime: timers, microtasks, random
 * numbers, each behind a function of ours. The runtime's own would show a module
 * the list of all timers, print what it throws on the operator's terminal, look
 * up globals that are gone, and start work on threads that nobody counts.
 */

/** The most timers that wait at once. */
const TIMERS_MAX = 10_000;

/** The longest delay that a timer takes, in ms; a longer one would fire at once. */
const DELAY_MAX_MS = 0x7fffffff;

/** The most random bytes of one call, as the Web Cryptography API has it (§10.1.1). */
const RANDOM_BYTES_MAX = 65_536;

/** Names a timer, and can be used for nothing else: nobody guesses another's. */
type TimerToken = Readonly<Record<never, never>>;

type Callback = (...parameters: unknown[]) => void;

/**
 * Globals for a module; `fail` is called with whatever its callbacks throw.
 *
 * What these functions use of the runtime is taken here, before any of the
 * module's code runs.
 */
export function makeModuleScope(
  fail: (error: unknown) => void,
): Record<string, unknown> {
  const guarded = (callback: Callback, parameters: unknown[]) => () => {
    try {
      callback(...parameters);
    } catch (error) {
      fail(error);
    }
  };
  const enqueue = queueMicrotask;
  return {
    ...makeTimers(guarded),
    queueMicrotask(callback: unknown): void {
      enqueue(guarded(callbackOf("queueMicrotask", callback), []));
    },
    reportError: (error: unknown): void => fail(error),
    crypto: randomOnly(),
  };
}

function makeTimers(
  guarded: (callback: Callback, parameters: unknown[]) => () => void,
): Record<string, unknown> {
  const { setTimeout, clearTimeout, setInterval, clearInterval } = globalThis;
  const waiting = new Map<TimerToken, () => void>();
  const enter = (name: string, stop: (token: TimerToken) => () => void) => {
    if (waiting.size >= TIMERS_MAX) {
      throw new RangeError(
        `${name}: a service has at most ${TIMERS_MAX} timers at once`,
      );
    }
    const token: TimerToken = Object.freeze(Object.create(null));
    waiting.set(token, stop(token));
    return token;
  };
  const clear = (token: unknown): void => {
    const stop = waiting.get(token as TimerToken);
    waiting.delete(token as TimerToken);
    stop?.();
  };
  return {
    setTimeout(callback: unknown, delay?: unknown, ...given: unknown[]) {
      const call = guarded(callbackOf("setTimeout", callback), given);
      const delayMs = delayOf(delay);
      return enter("setTimeout", (token) => {
        const timer = setTimeout(() => {
          waiting.delete(token);
          call();
        }, delayMs);
        return () => clearTimeout(timer);
      });
    },
    setInterval(callback: unknown, delay?: unknown, ...given: unknown[]) {
      const call = guarded(callbackOf("setInterval", callback), given);
      const delayMs = delayOf(delay);
      return enter("setInterval", () => {
        const timer = setInterval(call, delayMs);
        return () => clearInterval(timer);
      });
    },
    clearTimeout: clear,
    clearInterval: clear,
  };
}

function callbackOf(name: string, callback: unknown): Callback {
  if (typeof callback === "function") return callback as Callback;
  throw new TypeError(`${name} takes a function; got a ${typeof callback}`);
}

/** Whole milliseconds that the runtime takes without a warning. */
function delayOf(delay: unknown): number {
  const delayMs = Number(delay);
  return delayMs > 0 ? Math.min(Math.floor(delayMs), DELAY_MAX_MS) : 0;
}

/** Random numbers, and nothing that computes on a thread of the runtime's. */
function randomOnly(): object {
  const getRandomValues = crypto.getRandomValues.bind(crypto);
  const randomUUID = crypto.randomUUID.bind(crypto);
  return {
    getRandomValues<T extends ArrayBufferView<ArrayBuffer>>(into: T): T {
      if (!ArrayBuffer.isView(into) || into.byteLength > RANDOM_BYTES_MAX) {
        throw new RangeError(
          `getRandomValues: expected an array of at most ${RANDOM_BYTES_MAX} bytes`,
        );
      }
      return getRandomValues(into);
    },
    randomUUID: () => randomUUID(),
  };
}
