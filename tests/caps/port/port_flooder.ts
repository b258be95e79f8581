/** Posts garbage to a port without a pause, until it is told to stop, or gives up. */

/** When it gives up. */
const GIVE_UP_MS = 3000;

/** Where it is told to stop, and where it says that it gave up. */
export const [STOP, GAVE_UP] = [0, 1] as const;

/** The first message to it. */
export interface FloodStart {
  readonly port: MessagePort;
  readonly state: Int32Array;
}

if (typeof Deno !== "undefined" && import.meta.main) {
  const scope = globalThis as unknown as {
    onmessage: ((event: MessageEvent<FloodStart>) => void) | null;
  };
  scope.onmessage = ({ data: { port, state } }) => {
    const endMs = performance.now() + GIVE_UP_MS;
    while (Atomics.load(state, STOP) === 0) {
      port.postMessage(null);
      if (performance.now() < endMs) continue;
      Atomics.store(state, GAVE_UP, 1);
      return;
    }
  };
}
