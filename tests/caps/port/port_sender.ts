/** Posts numbered messages from a worker, at irregular moments, as a busy holder would. */

import { fromMessagePort } from "../../../caps/port/port.ts";

/** How many messages it posts. */
export const MESSAGES = 20_000;

/** The longest pause between two. */
const PAUSE_MS_MAX = 0.06;

if (typeof Deno !== "undefined" && import.meta.main) {
  const scope = globalThis as unknown as {
    onmessage: ((event: MessageEvent) => void) | null;
  };
  scope.onmessage = ({ data }) => {
    const port = fromMessagePort<number, never>(data as MessagePort);
    for (let i = 0; i < MESSAGES; i++) {
      port.post(i);
      const untilMs = performance.now() + Math.random() * PAUSE_MS_MAX;
      while (performance.now() < untilMs);
    }
  };
}
