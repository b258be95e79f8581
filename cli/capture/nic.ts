/**
 * `sallyport capture -i`: one capability on a NIC, for all that can be seen
 * there, in a system without services.
 */

import { ARRIVAL_TIME_BYTES } from "../../caps/memory/arrival_time.ts";
import {
  type CapturePacket,
  emptyPacket,
  LINK_ETHERNET,
} from "../../drivers/capture/packet.ts";
import { setTime, WallClock } from "../../drivers/capture/wall_clock.ts";
import type { Grant } from "../../services/filter/grant/grant.ts";
import {
  DEFAULT_MANIFEST,
  type Manifest,
  parseManifest,
} from "../../services/manifest/manifest.ts";
import { type NicChoice, NICS } from "../../services/manifest/nic/nics.ts";
import type { Receiver } from "../../services/receiver/receiver.ts";
import type { System } from "../../services/system/system.ts";
import { formatMac } from "../../services/wire/address.ts";
import type { CaptureIntake } from "./intake.ts";
import { describeMissed, missedOf } from "./missed.ts";
import type { Stop } from "../command/stop.ts";

/** Starts a system from which nothing is received before it is told to. */
export type BootPaused = (manifest: Manifest) => Promise<System>;

/** Pages that may wait unread. */
const QUOTA_PAGES = 1024;
/** How long a line may wait for the next. */
const FLUSH_MS = 50;

/** What comes from a NIC. */
const ETHERNET = { linkType: LINK_ETHERNET, finerThanMicroseconds: false };

/** A system on `nic` that does nothing of itself. */
export function observerOf(nic: NicChoice): Manifest {
  const manifest = parseManifest({
    ...DEFAULT_MANIFEST,
    nic: NICS.format(nic),
  });
  return { ...manifest, services: {} };
}

/**
 * What is taken: everything, but on an interface that the kernel has too only
 * what is for an address of our own: XDP would take the rest from the kernel.
 * Through a packet socket the kernel has its own copies.
 */
function grantOf({ nic, mac }: Manifest): Grant {
  if (NICS.kindOf(nic).kernel !== "takes") return [{}];
  return [{ etherDst: { address: [...mac], mask: Array(6).fill(0xff) } }];
}

/** What can be seen on this NIC, in one line. */
export function describeObserver({ nic, mac }: Manifest): string {
  const name = NICS.format(nic);
  const { kernel, wire } = NICS.kindOf(nic);
  if (wire?.(nic).peer === true) {
    return `capturing on ${name}, link-type ETHERNET: its peer asks by ARP and gets no answer, so that nothing else comes; \`sallyport up --nic ${name} --write -\` has the traffic of services`;
  }
  if (kernel !== "takes") {
    return `capturing on ${name}, link-type ETHERNET`;
  }
  return `capturing on ${name}, link-type ETHERNET: the frames to ${
    formatMac(mac)
  }; the kernel keeps the others`;
}

/** How a capture on a NIC ended. */
export interface NicEnd {
  /** Packets that came and could not be taken, in one line; undefined for none. */
  readonly missed: string | undefined;
  /** What was wrong with the NIC's end, in one line. */
  readonly warning: string | undefined;
}

/**
 * Takes packets in until there are enough, the NIC has ended, or it is to stop.
 *
 * @throws when the NIC cannot be opened, or fails: what happened, in one line.
 */
export async function captureNic(
  manifest: Manifest,
  intake: CaptureIntake,
  options: {
    readonly boot: BootPaused;
    readonly stop: Stop;
    /** Called once the NIC is open, before the first packet, with the mask of its own IPv4 network. */
    readonly onOpen: (netmask: number | undefined) => void;
  },
): Promise<NicEnd> {
  const system = await options.boot(manifest);
  const over: Over = {};
  let wanted: boolean;
  try {
    const receiver = await system.open(grantOf(manifest), {
      quotaPages: QUOTA_PAGES,
      // A packet that is read where it lies has its time with it.
      trusted: hasTimes(manifest),
    });
    const close = () => void receiver[Symbol.asyncDispose]().catch(() => {});
    options.stop.asked.then(close);
    system.ended.then((ending) => {
      if (ending.reason === "failed") over.error = ending.error;
      else over.warning = ending.warning;
      close();
    });
    options.onOpen((await system.snapshot()).nic.netmask);
    await options.stop.orWhen(intake.begin(ETHERNET));
    system.receive();
    wanted = await takeAll(receiver, intake, {
      close,
      hasTimes: hasTimes(manifest),
    });
    await receiver[Symbol.asyncDispose]();
    if (over.error !== undefined) throw over.error;
  } catch (error) {
    await system.stop().catch(() => {}); // what went wrong first is told
    throw error;
  }
  const snapshot = await system.stop();
  // Where there were enough, the rest was not asked for.
  const missed = wanted
    ? describeMissed(missedOf(snapshot, intake.seen))
    : undefined;
  return { missed, warning: over.warning };
}

/** Whether packets of this NIC come with the time of their arrival. */
function hasTimes({ nic }: Manifest): boolean {
  return nic.kind === "packet";
}

/** Sets the time that is in front of `bytes`, a packet where it lies. */
function setArrivalTime(packet: CapturePacket, bytes: Uint8Array): void {
  const times = new DataView(
    bytes.buffer,
    bytes.byteOffset - ARRIVAL_TIME_BYTES,
    ARRIVAL_TIME_BYTES,
  );
  packet.seconds = times.getUint32(0, true);
  packet.nanoseconds = times.getUint32(4, true);
}

/** Why a system ended. */
interface Over {
  error?: Error;
  warning?: string | undefined;
}

/**
 * Takes packets in until the receiver is closed, which `close` does once nobody
 * reads any more. Returns whether more were wanted.
 */
async function takeAll(
  receiver: Receiver,
  intake: CaptureIntake,
  { close, hasTimes }: {
    readonly close: () => void;
    readonly hasTimes: boolean;
  },
): Promise<boolean> {
  const packet = { ...emptyPacket(), linkType: LINK_ETHERNET };
  const clock = new WallClock();
  let flushing: ReturnType<typeof setTimeout> | undefined;
  let wanted = true;
  for await (const { bytes } of receiver) {
    if (hasTimes) setArrivalTime(packet, bytes);
    else setTime(packet, clock.nowUs());
    packet.bytes = bytes;
    packet.length = bytes.length;
    packet.originalLength = bytes.length;
    packet.direction = 1;
    wanted &&= intake.take(packet);
    if (!wanted) break;
    flushing ??= setTimeout(() => {
      flushing = undefined;
      if (intake.flush()) return;
      wanted = false;
      close();
    }, FLUSH_MS);
  }
  clearTimeout(flushing);
  return wanted;
}
