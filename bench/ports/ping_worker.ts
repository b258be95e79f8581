/** One end of a MessagePort: sends back what comes, or, where it begins, counts what has come back in shared memory. */

/** What a worker begins with. */
export interface PingStart {
  readonly port: MessagePort;
  /** Where round trips are counted; absent for the end that answers. */
  readonly count?: Int32Array;
  /** The message that goes back and forth. */
  readonly message: unknown;
}

const scope = self as unknown as {
  onmessage: ((event: MessageEvent<PingStart>) => void) | null;
};

scope.onmessage = ({ data: { port, count, message } }) => {
  port.onmessage = () => {
    if (count !== undefined) Atomics.add(count, 0, 1);
    port.postMessage(message);
  };
  if (count !== undefined) port.postMessage(message);
};
