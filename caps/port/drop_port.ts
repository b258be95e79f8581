/** Closes a MessagePort, whoever goes on posting to it. */

/** Kept from the beginning: a confined worker has none later (services/runtime/confine.ts). */
const Channel = MessageChannel;

/**
 * Closes a port with all that is unread in it. `close()` dispatches that first,
 * for as long as there is more (Deno 2.9.6): a sender that does not stop would
 * keep this thread there for good. A port that is posted to a channel whose
 * other end is closed goes with the message; where it waits for an event the
 * runtime says that it cannot be moved, and drops it all the same.
 */
export function dropPort(port: MessagePort): void {
  const { port1, port2 } = new Channel();
  port2.close();
  try {
    port1.postMessage(null, [port]);
  } catch {
    // It was waiting for an event, or was moved elsewhere before.
  }
  port1.close();
}
