/**
 * A limit on a worker's heap: what exceeds it is broken off, in that worker
 * alone, where V8 would else end the whole process ("Fatal JavaScript out of
 * memory").
 *
 * Deno's `Worker` takes permissions and no limits, that of node:worker_threads
 * takes limits and no permissions; both ask the runtime in one and the same way,
 * with an object that it reads `permissions` and `resourceLimits` from. What a
 * Worker of Deno's leaves out is looked up on Object.prototype: so it is put
 * there, for the one synchronous call that makes the worker. Deno 2.9 does not
 * promise this; tests/system/hostile_test.ts fails where it is not so.
 *
 * The runtime says nothing of it, and the worker may live on with a full heap:
 * services/system/supervision/memory_watch.ts sees that. Buffers and Wasm memories lie beside the heap.
 */

/**
 * Old generation of a service's heap. V8 ends the process all the same when one
 * allocation exceeds the limit by far: a string, which has at most 1 GiB, did so
 * with a limit of 64 MiB and never with this one.
 */
const HEAP_MIB_MAX = 256;

/** Semi-spaces and what survived them once. */
const YOUNG_MIB_MAX = 16;

/** Calls `make`, which makes one worker, and gives what it gives. */
export function withHeapLimit<T>(make: () => T): T {
  const name = "resourceLimits";
  if (name in Object.prototype) {
    throw new Error(`heap limit: Object.prototype has a ${name} already`);
  }
  Object.defineProperty(Object.prototype, name, {
    value: {
      maxOldGenerationSizeMb: HEAP_MIB_MAX,
      maxYoungGenerationSizeMb: YOUNG_MIB_MAX,
    },
    configurable: true,
  });
  try {
    return make();
  } finally {
    Reflect.deleteProperty(Object.prototype, name);
  }
}
