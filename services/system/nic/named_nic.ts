/** The NIC that a manifest names, ready to be opened: its driver, and what that may do. */

import { plugIntoWire } from "../../../drivers/emulated/named_wire.ts";
import {
  type DriverStart,
  type OpenDriver,
  startDriver,
} from "../../../drivers/service/start.ts";
import { given } from "../../../caps/kernel/given.ts";
import type { Manifest } from "../../manifest/manifest.ts";
import type { NicPermissions, WireEnd } from "../../manifest/nic/kind.ts";
import { servicesIn } from "../../manifest/place.ts";
import { NICS, type NicTable } from "../../manifest/nic/nics.ts";
import { ownIpv4 } from "../../ip/own_addresses.ts";
import type { Part } from "../../runtime/thread.ts";
import type { Nic } from "../parts.ts";
import { capturing } from "./capturing.ts";
import { NIC_DRIVERS, type NicDriver } from "../driver/drivers.ts";

/** What NICs are looked up in. */
export interface NicLists {
  readonly nics: NicTable;
  /** By the kind's name; each takes the options that its kind makes. */
  readonly drivers: Readonly<Record<string, NicDriver<never>>>;
}

const LISTS: NicLists = { nics: NICS, drivers: NIC_DRIVERS };

/** Makes the NIC of a manifest. With `awaited` an interface that is not there is waited for. */
export function nicOf(
  manifest: Manifest,
  awaited = false,
  { nics, drivers }: NicLists = LISTS,
): Nic {
  const { nic, unclaimed, address, addresses, services, ...rest } = manifest;
  const answers = Object.keys(services).length > 0;
  const kind = nics.kindOf(nic);
  const wire = kind.wire === undefined ? {} : plug(kind.wire(nic));
  const { link, ...ends } = wire;
  const options = kind.options(nic, {
    ...rest,
    awaited,
    ...(answers
      ? {
        addresses: ownIpv4({ ...address, addresses }).map(({ address }) =>
          address
        ),
      }
      : {}),
  });
  const called = servicesIn("driver", services).length > 0;
  const made: Nic = {
    part: partOf(drivers[kind.kind]!, kind.permissions(nic), called),
    options: {
      ...options,
      ...given({ link }),
      ...(called ? { nicKind: kind.kind } : {}),
    },
    transfer: link === undefined ? [] : [link],
    ...ends,
    mapped: kind.mapped ?? false,
    startsProcesses: kind.permissions(nic).ffi === true,
    restarts: kind.restarts ?? true,
    callsServices: called,
    ...(kind.kernel === "takes" ? { kernel: { unclaimed } } : {}),
    socket: kind.kernel === "copies",
  };
  return capturing(made, manifest);
}

function partOf(
  { folder, open }: NicDriver<never>,
  permissions: NicPermissions,
  called: boolean,
): Part<DriverStart<unknown>> {
  return {
    // Cores take time to load: only a driver that calls some brings them.
    worker: called
      ? new URL("../driver/worker.ts", import.meta.url)
      : new URL(`../../../drivers/${folder}/worker.ts`, import.meta.url),
    permissions: Object.keys(permissions).length === 0
      ? "none"
      : { ...permissions },
    here: (start) => void startDriver(start, open as OpenDriver<unknown>, true),
  };
}

/** The ends of an emulated wire: the NIC's, and a peer's where there is one. */
type Plugged = Pick<Nic, "peer" | "release"> & { readonly link?: MessagePort };

function plug({ name, peer }: WireEnd): Plugged {
  if (name === undefined) {
    const { port1, port2 } = new MessageChannel();
    return peer ? { link: port1, peer: port2 } : { link: port1 };
  }
  using cables = new DisposableStack();
  const { link } = cables.use(plugIntoWire(name));
  const peers = peer ? { peer: cables.use(plugIntoWire(name)).link } : {};
  const plugged = cables.move();
  return { link, ...peers, release: () => plugged.dispose() };
}
