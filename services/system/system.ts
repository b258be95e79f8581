/** A system as those see it who run one. */

import type { RateLimit } from "../../caps/kernel/rate_limit.ts";
import type { Grant } from "../filter/grant/grant.ts";
import type { Interposer } from "../interpose/interposer.ts";
import type { ServicePlace } from "../manifest/place.ts";
import type { ServiceFactory } from "../loader/factory.ts";
import type { Receiver } from "../receiver/receiver.ts";
import type { SystemSnapshot } from "./snapshot.ts";
import type { PluggedNic } from "./nic/plugged_nic.ts";

/** How a system is run, and what is told of it meanwhile. */
export interface RunOptions {
  /**
   * True for a worker without permissions for each service, which needs
   * `"unstable": ["worker-options"]` in the deno.json of the program that runs;
   * false for everything in the caller's own thread, with the caller's trust.
   *
   * `"process"` for a process without permissions for each service that is not in
   * the driver's thread, in place of a worker: that needs nothing unstable, and the
   * permission to run Deno (`--allow-run=deno`) unless the NIC's driver has `ffi`
   * and starts them. The driver and the filter service are in the caller's own
   * thread, and the system gives up none of the caller's permissions.
   */
  readonly confined: boolean | "process";
  /**
   * With `confined: false`, the default exports of the manifest's modules, by the
   * names of their services: there they are the caller's own code. Modules in
   * processes are loaded from their files.
   */
  readonly modules?: Readonly<Record<string, ServiceFactory>>;
  /**
   * True for a NIC from which nothing is received before `receive()`: what is
   * opened until then misses no packet. False by default.
   */
  readonly paused?: boolean;
  /** A NIC of the caller's own, in place of the manifest's. */
  readonly nic?: PluggedNic;
  /** What packets of services pass unseen by them, by name; behind what the manifest interposes. */
  readonly interpose?: ServiceInterposers;
  /** Told when a service, or the NIC, has failed and will be started again. */
  readonly onRestart?: (restart: Restart) => void;
  /** Told when a service has failed for good, and why in one line. The others go on. */
  readonly onServiceFailed?: (name: string, failure: string) => void;
  /** Told what a person should know of the NIC, and what to do about it, in one line. */
  readonly onNotice?: (text: string) => void;
}

/** How a system is run whose services know their places. */
export interface PlacedOptions extends Omit<RunOptions, "confined"> {
  readonly confined: boolean;
  /** Whether services may be in workers or, unconfined, in this thread; true by default. */
  readonly workers?: boolean;
}

/** Something failed, and will be started again. */
export interface Restart {
  /** The service's name; undefined for the NIC's driver and filter service. */
  readonly service?: string;
  /** Why it failed, in one line. */
  readonly failure: string;
  /** In how long it is started again; Infinity for a NIC that waits for its interface to be back. */
  readonly delayMs: number;
}

/** How a system ended by itself. */
export type Ending =
  /** Nothing will ever arrive again: a capture that is replayed, a link that was removed. */
  | {
    readonly reason: "nic-ended";
    /** What was wrong with that, in one line: a capture cut short, an interface removed. */
    readonly warning?: string;
  }
  | { readonly reason: "failed"; readonly error: Error };

/** A system that runs. */
export interface System {
  /** The system at this moment. */
  snapshot(): Promise<SystemSnapshot>;
  /**
   * What is connected to what at this moment: parts with where they run and what
   * they may do, the channels between them, and the live capabilities in words.
   * All of it is what was wired and issued, nothing is read from the manifest: a
   * holder is connected where the driver and the filter service say so.
   * Capabilities' 64-bit numbers are not shown.
   */
  picture(options?: PictureOptions): Promise<string>;
  /** Resolves when the system ended by itself. */
  readonly ended: Promise<Ending>;
  /**
   * A capability for the caller itself: its packets come by `for await`.
   * @throws {RefusedError} when the grant overlaps another's, or no pages are left.
   */
  open(receives: Grant, options?: OpenOptions): Promise<Receiver>;
  /**
   * Moves a service: ends its life where it runs, and begins another in `place`, with
   * fresh capabilities. Resolves when that runs or has failed; what has failed
   * already is there when it is started again.
   * @throws {Error} when there is no such service, or it cannot be there, with what
   * to do.
   */
  move(service: string, place: ServicePlace): Promise<void>;
  /** Lets packets come in, where the system was started paused. */
  receive(): void;
  /** Stops it and closes the NIC; gives the last counts. */
  stop(): Promise<SystemSnapshot>;
}

/** How a picture of a system is drawn. */
export interface PictureOptions {
  /** `text` for lines to read, `dot` for a graph that Graphviz draws (`dot -Tsvg`); `text` by default. */
  readonly format?: "text" | "dot";
}

/** What a capability of the caller's is to be, besides its grant. */
export interface OpenOptions {
  /** Frames that may be sent under it; none by default. */
  readonly sends?: Grant;
  /**
   * Copies of the packets, whoever owns them, in place of the packets; then
   * nothing can be sent. On `xdp:` only what somebody owns can be observed: the
   * kernel's own packets never come here.
   */
  readonly observe?: boolean;
  /** Pages that may be held unread; 64 by default. */
  readonly quotaPages?: number;
  /** Packets of up to so many bytes are copied, larger ones come as pages; 2,048 by default. */
  readonly copyBytesMax?: number;
  /**
   * Packets are read where they lie in packet memory, and not copied: for a
   * program that reads fast. Not together with `observe` or `interpose`.
   */
  readonly trusted?: boolean;
  /** What its packets pass, the nearest to the driver first; the receiver cannot tell. */
  readonly interpose?: readonly Interposer[];
  /**
   * In how many milliseconds it expires: its packets are their former
   * owner's again, and a loop over them ends, what was not read yet with it.
   * Never by default.
   */
  readonly lifetimeMs?: number;
  /** How many packets or bytes a second come and go, each way; what is beyond is dropped and counted. No limit by default. */
  readonly limit?: RateLimit;
}

/** Interposers of the program's own, by the service's name. */
export type ServiceInterposers = Readonly<
  Record<string, readonly Interposer[]>
>;
