/** What a system is made of: which module does what, and what that may do. */

import type { DirectEnd } from "../../caps/port/direct_end.ts";
import type { DriverStart } from "../../drivers/service/start.ts";
import type { ServiceDefinition } from "../core/definition.ts";
import type { FilterStart } from "../filter/service/messages.ts";
import type { Manifest } from "../manifest/manifest.ts";
import type { ServiceStart } from "../core/messages.ts";
import type { Part } from "../runtime/thread.ts";
import type { TimeLimits } from "./time_limits.ts";
import type { PeerStart } from "./peer/messages.ts";

/** A NIC, before it is open. */
export interface Nic {
  readonly part: Part<DriverStart<unknown>>;
  readonly options: unknown;
  readonly transfer: Transferable[];
  /** The path of a capture of all that crosses it; none by default. */
  readonly write?: string;
  /** The far end of its wire, where the system brings a peer. */
  readonly peer?: MessagePort;
  /** Takes its cables out, once it is closed or its driver has crashed. */
  readonly release?: () => void;
  /** Whether its pages are packet memory itself: holders may write to it after its end. */
  readonly mapped?: boolean;
  /** Whether its driver starts the processes of services; by default the system does. */
  readonly startsProcesses?: boolean;
  /** Whether its driver is started again when it crashes; true by default. */
  readonly restarts?: boolean;
  /** Whether its worker brings what runs services in its thread; false by default. */
  readonly callsServices?: boolean;
  /** Where the NIC classifies itself: what becomes of packets that no capability claims. */
  readonly kernel?: FilterStart["target"]["kernel"];
  /** Whether it is a packet socket. */
  readonly socket?: boolean;
}

/** A service, before it runs. */
export interface ServicePart extends Part<ServiceStart> {
  /** Starts it in this thread; `end` is by what it is called, in the driver's. */
  readonly here: (start: ServiceStart, end?: DirectEnd) => void;
  /** What it may have at most. */
  readonly definition: Pick<ServiceDefinition, "receives" | "sends">;
  /** For a third party's service: its code, as a `data:` URL. */
  readonly module?: string;
  /** What runs it in a process; the module of its worker by default. */
  readonly process?: ProcessPart;
}

/** The module of a process, which may run one of several services. */
export interface ProcessPart {
  readonly module: URL;
  /** Which service, as the module knows it. */
  readonly argument: string;
}

/** What a system is made of. */
export interface Parts {
  readonly filter: Part<FilterStart>;
  readonly peer: Part<PeerStart>;
  /** By the core's name. */
  readonly services: Readonly<Record<string, ServicePart>>;
  /** Modules, by the service's name; none by default. */
  readonly modules?: Readonly<Record<string, ServicePart>>;
  /** How long services are waited for, where not as usual. */
  readonly timeLimits?: TimeLimits;
  /** `awaited` says that its interface is to be waited for. */
  nic(manifest: Manifest, awaited?: boolean): Nic;
}

/** The part of a service, by its name in the manifest and its core's. */
export function partOfService(
  { services, modules }: Pick<Parts, "services" | "modules">,
  name: string,
  core: string,
): ServicePart {
  return core === "module" ? modules![name]! : services[core]!;
}
