import "../../runtime/confine.ts";
import { type PeerStart, startPeer } from "./start.ts";

const scope = globalThis as unknown as {
  onmessage: ((event: MessageEvent) => void) | null;
};
scope.onmessage = (event) => {
  scope.onmessage = null;
  startPeer(event.data as PeerStart);
};
