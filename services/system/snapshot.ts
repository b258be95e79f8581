/** What a running system shows of itself: plain data, for consoles and tests. */

import type { Counts } from "../../caps/driver/accounts.ts";
import type { PagesSnapshot } from "../../caps/memory/page_ledger.ts";
import type { ServicePlace } from "../manifest/place.ts";

export type { Counts, PagesSnapshot };

/** One capability's account. Its tag is never shown: `label` names it. */
export interface CapabilitySnapshot {
  /** `udp-echo#2`: the holder and a small number of its own. */
  readonly label: string;
  /** The packets that it stands for, in words: `udp dst port 7 and dst host 10.77.0.2`. */
  readonly filter: string;
  /** The pages that it may hold at once. */
  readonly quotaPages: number;
  /** The pages that its holder has now. */
  readonly heldPages: number;
  /** Packets handed to the holder. */
  readonly deliveredPackets: number;
  /** Bytes of the packets delivered. */
  readonly deliveredBytes: number;
  /** Packets that the holder had sent. */
  readonly sentPackets: number;
  /** Bytes of the packets sent. */
  readonly sentBytes: number;
  /** Packets of this capability that were dropped, by reason, both ways. */
  readonly drops: Counts;
}

/** Something between the driver and a service. */
export interface InterposerSnapshot {
  /** What it is: `delay`. */
  readonly name: string;
  /** What it counted. */
  readonly counters: Counts;
}

/** One end of ports between services. */
export interface PortSnapshot {
  /** Whether it asks there, or answers. */
  readonly side: "ask" | "answer";
  /** The port's name where it asks, the interface's where it answers. */
  readonly name: string;
  /** The services at the other end; none where it is unavailable. */
  readonly peers: readonly string[];
  /** What it counted there: `asked`, `answered`, `timed-out`. */
  readonly counters: Counts;
}

/** One service. */
export interface ServiceSnapshot {
  /** Name in the manifest. */
  readonly name: string;
  /** Only a running one handles packets. */
  readonly state:
    | "starting"
    | "running"
    | "restarting"
    | "failed"
    | "stopped";
  /** Where it runs, or ran last; `here` is the program's own thread. */
  readonly place: ServicePlace | "here";
  /** How often it was started again. */
  readonly restarts: number;
  /** Why it failed last, in one line; it may run again. */
  readonly failure?: string;
  /** What it holds. */
  readonly capabilities: readonly CapabilitySnapshot[];
  /** What the protocol core counted: `echoed`, `drop:checksum`. */
  readonly counters: Counts;
  /** Where it asks other services, and answers them; absent where it does not. */
  readonly ports?: readonly PortSnapshot[];
  /** Messages of the service that the driver or the filter service refused, by reason. */
  readonly refusals: Counts;
  /** What is interposed, the nearest to the driver first; absent when nothing is. */
  readonly interposers?: readonly InterposerSnapshot[];
}

/** A whole system at one moment. */
export interface SystemSnapshot {
  /** Since packets flow. */
  readonly uptimeMs: number;
  /** The NIC, and what crossed it. */
  readonly nic: {
    /** As a person named it: `xdp:veth0`, `pcap:trace.pcap`, `emulated`. */
    readonly name: string;
    /** How its packets come and go, in words. */
    readonly mode: string;
    /** The Ethernet address that the system answers on. */
    readonly mac: string;
    /** All addresses with their prefixes: `10.77.0.2/24, fd00::2/64`. */
    readonly address: string;
    /** The mask of the interface's own IPv4 network, in host byte order, where a kernel has given it one. */
    readonly netmask?: number;
    /** Whether its driver and filter service run. */
    readonly state: "running" | "restarting" | "failed";
    /** How often these were started again. */
    readonly restarts: number;
    /** Why they failed last, in one line; they may run again. */
    readonly failure?: string;
    /** Whether nothing will ever arrive again. */
    readonly ended: boolean;
    /** Packets that came in. */
    readonly receivedPackets: number;
    /** Bytes of the packets received. */
    readonly receivedBytes: number;
    /** Packets that went out. */
    readonly sentPackets: number;
    /** Bytes of the packets sent. */
    readonly sentBytes: number;
    /** The driver's own counts. */
    readonly counters: Counts;
  };
  /** Packets that nobody holds a capability for, where the driver saw them. */
  readonly unclaimedPackets: number;
  /** Where the pages are. */
  readonly pages: PagesSnapshot;
  /** In the manifest's order. */
  readonly services: readonly ServiceSnapshot[];
  /** The peer on an emulated wire, when there is one: `ping-sent`, `ping-answered`. */
  readonly peer?: Counts;
}
