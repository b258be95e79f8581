/** The first message to a worker, which says what the worker works with. */

/** Has `begin` take the first message to this worker, and no later one. */
export function onFirstMessage<Start>(begin: (start: Start) => void): void {
  const scope = globalThis as unknown as {
    onmessage: ((event: MessageEvent<Start>) => void) | null;
  };
  scope.onmessage = ({ data }) => {
    scope.onmessage = null;
    begin(data);
  };
}
