import "../../runtime/confine.ts";
import { startPeer } from "./start.ts";
import type { PeerStart } from "./messages.ts";

const scope = globalThis as unknown as {
  onmessage: ((event: MessageEvent) => void) | null;
};
scope.onmessage = (event) => {
  scope.onmessage = null;
  startPeer(event.data as PeerStart);
};
