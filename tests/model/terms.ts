/** What the reference model speaks of: plain data. */

/** Some frames, each by its number. */
export type Frames = ReadonlySet<number>;

/** What a capability lets its holder do. */
export type Right = "receive" | "observe" | "send" | "derive" | "delegate";

/** Counts by reason. */
export type Counted = Record<string, number>;

/** What a new capability is to be. */
export interface Wanted {
  /** Which of the parent's frames. */
  readonly grant: Frames;
  /** Which of those it receives; absent for all. */
  readonly residual?: Frames;
  /** Which it may send; absent for what the parent may. */
  readonly sends?: Frames;
  /** What it may do. */
  readonly rights: ReadonlySet<Right>;
  /** Pages of the parent's that are its own from now on. */
  readonly quotaPages: number;
  /** Longer frames come as pages; absent for the parent's limit. */
  readonly copyBytesMax?: number;
  /** The port of its holder. */
  readonly to: number;
  /** After how long it ends by itself; absent for with its parent. */
  readonly lifetime?: number;
}

/** What is delegated to another holder: a capability, perhaps with less. */
export type Delegated =
  & Pick<Wanted, "to" | "lifetime">
  & Partial<Pick<Wanted, "rights" | "quotaPages">>;

/** A capability, or what was one. */
export interface Cap extends Wanted {
  /** Place in the list of all that ever were: the tag. */
  readonly id: number;
  /** What it was derived from; the root was from none. */
  readonly parent: Cap | undefined;
  /** The frames that it and all that it is derived from were granted. */
  readonly packets: Frames;
  /** The frames that it and all that it is derived from may send. */
  readonly sends: Frames;
  /** Longer frames come as pages. */
  readonly copyBytesMax: number;
  /** When it ends by itself. */
  readonly endsAt: number;
  /** The port that asked for it. */
  readonly maker: number;
  /** How far from the root it is. */
  readonly depth: number;
  /** Packets that were not delivered or not sent, by reason. */
  readonly drops: Counted;
  /** Whether it has not ended. */
  live: boolean;
  /** Whether it takes no new work. */
  closed: boolean;
}

/** A page that is, or was, out. */
export interface Page {
  /** Whose quota it counts against. */
  readonly cap: Cap;
  /** How many pages of the quota it takes: an extent takes many. */
  readonly size: number;
  /** Where it is. */
  state: "lent" | "in flight" | "quarantined" | "free";
}

/** What an offload word says of a frame; in what is sent: what its sender asks to have done. */
export interface Offload {
  /** 0: as on a wire; 2: left to be completed. */
  readonly checksum: number;
  /** The kind of super-packet, which nobody believes of what is sent. */
  readonly gso: number;
  /** Bytes of payload of each segment; 0 for a frame that is as it is on a wire. */
  readonly segmentBytes: number;
}

/** What is known of the frames that there are. */
export interface FrameFacts {
  /** Length of a frame. */
  bytesOf(frame: number): number;
  /** Bytes behind the transport header; undefined where there is none. */
  payloadOf(frame: number): number | undefined;
  /** What the NIC says of the frame when it arrives; undefined for nothing. */
  offloadOf(frame: number): Offload | undefined;
}

/** A frame that a holder got; `page` is its place in the list of all that ever were, undefined for a copy. */
export interface Delivered {
  /** Under which capability. */
  readonly cap: number;
  /** Which frame. */
  readonly frame: number;
  /** The page that it came in. */
  readonly page: number | undefined;
  /** What the holder is told of the frame. */
  readonly offload: Offload | undefined;
}

/** One record of a message from a holder to the driver. */
export type Submitted =
  | Sending
  /** A page back. */
  | { readonly kind: "return"; readonly page: number }
  /** `forge`: a buffer that is no page, or has the number of somebody else's. */
  /** `short`: too few bytes to be a frame; `long`: more than the wire takes. */
  /** `unreadable`: no record at all; what follows is not read either. */
  | {
    readonly kind: "forge" | "short" | "long" | "unreadable";
    readonly page?: never;
  };

/** A frame to send: its bytes are in the record, or in a page, which goes back so. */
export interface Sending {
  /** Which of the records this is. */
  readonly kind: "send";
  /** Which frame. */
  readonly frame: number;
  /** The page's place in the list of all that ever were. */
  readonly page?: number;
  /** What is to be done with it; absent for nothing. */
  readonly offload?: Offload;
}

/** A frame that goes out of one: as it is, finished, or one of several. */
export interface Outgoing {
  readonly record: Sending;
  /** Whether its checksum is completed. */
  readonly completed: boolean;
  /** Which segment of the frame it is; absent for all of the frame. */
  readonly segment?: Segment;
  /** What the NIC is told to do with it, segments of so many bytes or a checksum (0); absent for nothing. */
  readonly segmentBytes?: number;
}

/** A segment: its place, and which bytes of the payload it has. */
export interface Segment {
  readonly index: number;
  readonly from: number;
  readonly to: number;
}

/** Ways to end what a capability stands for. */
export type Ending = "close" | "revoke" | "drop";

/** How much there may be. */
export interface Limits {
  /** Capabilities, those that ended with pages out included. */
  readonly capabilities: number;
  /** How many of those only the root's holder may make. */
  readonly kept: number;
  /** Derivations from the root. */
  readonly depth: number;
  /** Pages of what the NIC receives a frame into. */
  readonly framePages: number;
  /** Bytes of a frame that one page holds when it is sent. */
  readonly pageRoomBytes: number;
  /** Bytes of the longest frame of the NIC's wire, until its MTU is changed. */
  readonly wireBytesMax: number;
  /** Whether the NIC completes checksums and makes segments itself. */
  readonly offloads: boolean;
  /** The most segments of one frame, and the most that such a NIC makes. */
  readonly segments: number;
  readonly nicSegments: number;
}

/** Whether it gets copies of packets that others own, and owns none. */
export function isObserver({ rights }: Pick<Wanted, "rights">): boolean {
  return rights.has("observe") && !rights.has("receive");
}

/** Whether an offload word asks for anything. */
export function isAsked(offload: Offload | undefined): offload is Offload {
  return offload?.checksum === 2 || (offload?.segmentBytes ?? 0) > 0;
}

/** Counts so many more. */
export function count(tally: Counted, why: string, more = 1): void {
  tally[why] = (tally[why] ?? 0) + more;
}
