/** What the system and a peer say to each other. */

import type { Counts } from "../snapshot.ts";

/** The first message to a peer. */
export interface PeerStart {
  /** The peer's end of the wire. */
  readonly link: MessagePort;
  /** To the system. */
  readonly control: MessagePort;
  /** The address that it speaks to, and that address's network. */
  readonly target: number;
  readonly prefixBits: number;
  readonly seed: number;
  readonly pace: "recorded" | "at-once";
}

/** From the system to a peer. */
export type PeerOrder =
  /** Answered by `counters`. */
  | { readonly kind: "count"; readonly id: number }
  /** The wire was cut, and this is the new one. */
  | { readonly kind: "plug"; readonly link: MessagePort }
  /** Takes the link down: the peer has ended. */
  | { readonly kind: "stop" };

/** From a peer to the system. */
export interface PeerReport {
  readonly kind: "counters";
  readonly id: number;
  readonly counters: Counts;
}
