/** What Ctrl-C does: the first one stops, a later one ends at once. */

import type { Terminal } from "../screen/terminal.ts";

/** A terminal's Ctrl-C reaches us twice under a task runner: once from the terminal, once forwarded. */
const SAME_INTERRUPT_MS = 300;

/** Calls `stop` at the first interrupt, `endNow` at a later one, until it is disposed. */
export function stopOnInterrupt(
  terminal: Pick<Terminal, "onInterrupt">,
  endNow: () => void,
  stop: () => void,
): Disposable {
  let firstAt: number | undefined;
  return terminal.onInterrupt(() => {
    const now = performance.now();
    firstAt ??= now;
    if (now === firstAt) stop();
    else if (now - firstAt > SAME_INTERRUPT_MS) endNow();
  });
}
