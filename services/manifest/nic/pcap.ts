/** A capture that is replayed: `pcap:trace.pcapng`. */

import type { NicKind } from "./kind.ts";

/** A capture file (pcap or pcapng) that is replayed. */
export interface PcapChoice {
  /** Which kind of NIC it is. */
  readonly kind: "pcap";
  /** The path of the file. */
  readonly path: string;
}

/** What the driver is opened with. */
interface PcapOptions {
  readonly path: string;
  readonly pace: "at-once" | "recorded";
}

/** See {@link PcapChoice}. */
export const pcap: NicKind<PcapChoice, PcapOptions> = {
  kind: "pcap",
  form: "pcap:FILE",
  help: [
    "a capture (pcap or pcapng) that is replayed",
    "sallyport up --nic pcap:trace.pcapng --pace at-once --json",
  ],
  read: (path) =>
    path === "" || path.includes("\0")
      ? { problem: "expected pcap:FILE with the path of a capture" }
      : { kind: "pcap", path },
  format: ({ path }) => path,
  permissions: ({ path }) => ({ read: [path] }),
  options: ({ path }, { pace }) => ({ path, pace }),
  reads: ({ path }) => ({ path, what: "the capture that is replayed" }),
  restarts: false, // a replay would begin at the beginning
};
