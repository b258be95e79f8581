/** A kind of NIC: all that a manifest, the command line and the system have to know of it. */

/** A NIC that was named: its kind, and what its kind has of it. */
export interface NamedNic {
  /** Which kind of NIC it is. */
  readonly kind: string;
}

/** What is wrong with the name of a NIC: `expected xdp:IFNAME; …`. */
export interface NicProblem {
  readonly problem: string;
}

/**
 * An entry of the table of kinds (nics.ts). The driver is the other half: its
 * folder is in services/system/driver/drivers.ts under the same name.
 */
export interface NicKind<
  Choice extends NamedNic = NamedNic,
  Options extends object = object,
> {
  /** What its names begin with, up to the colon: `xdp`. */
  readonly kind: Choice["kind"];
  /** How its names are written, for people: `xdp:IFNAME`; without a colon there is one NIC of its kind. */
  readonly form: string;
  /** What it is and how it is used: lines of at most 65 characters for `--help`. */
  readonly help: readonly string[];
  /** Reads what follows the colon of its names. */
  read(text: string): Choice | NicProblem;
  /** Writes what follows the colon, as {@link read} reads it. */
  format(choice: Choice): string;
  /** What its driver may do, besides writing a capture. */
  permissions(choice: Choice): NicPermissions;
  /** What its driver is opened with: plain data. */
  options(choice: Choice, settings: NicSettings): Options;
  /** The file that it reads, which no capture may be written over. */
  reads?(choice: Choice): ReadFile;
  /** The emulated wire that it is on: its driver is opened with a `link` to it besides. */
  wire?(choice: Choice): WireEnd;
  /**
   * For an interface that a Linux kernel uses too: whether the packets that are
   * taken never reach that kernel, or it has its own copy of each. Absent where
   * there is no such kernel.
   */
  readonly kernel?: "takes" | "copies";
  /** The NIC to name instead where packets are to be dropped, for one whose kernel has copies. */
  dropsOn?(choice: Choice): string;
  /** Whether packets may come and go that are larger than a page; false by default. */
  readonly superPackets?: boolean;
  /** Whether a manifest's `busyPoll` is for it; false by default. */
  readonly polled?: boolean;
  /** Whether its pages are packet memory itself, to which holders may write after its end; false by default. */
  readonly mapped?: boolean;
  /** Whether its driver is started again when it crashes; true by default. */
  readonly restarts?: boolean;
}

/** What a NIC's driver may do; nothing by default. */
export interface NicPermissions {
  /** Whether it calls functions of the C library. */
  readonly ffi?: true;
  /** The addresses that it uses: `10.0.0.1:4789`. */
  readonly net?: readonly string[];
  /** The files that it reads. */
  readonly read?: readonly string[];
}

/** What a manifest says besides the NIC's name, and what the system adds. */
export interface NicSettings {
  /** The system's Ethernet address: six bytes. */
  readonly mac: Uint8Array;
  /** How a capture is replayed. */
  readonly pace: "at-once" | "recorded";
  /** The seed of all choices. */
  readonly seed: number;
  /** Packets that one look into the rings polls from the interface. */
  readonly busyPoll?: number | undefined;
  /** The IPv4 addresses that its services answer on, in host byte order; absent where there are none. */
  readonly addresses?: readonly number[] | undefined;
  /** Whether an interface that is not there is waited for. */
  readonly awaited: boolean;
}

/** A file that a NIC reads. */
export interface ReadFile {
  readonly path: string;
  /** What it is, for people: `the tunnel's key`. */
  readonly what: string;
}

/** An end of an emulated wire. */
export interface WireEnd {
  /** The wire's name; absent for one that nobody else is on. */
  readonly name?: string;
  /** Whether the system brings a peer onto the wire. */
  readonly peer: boolean;
}
