/** A NIC on which a capture file arrives again. */

import { given } from "../../caps/kernel/given.ts";
import {
  HEADROOM_BYTES,
  type PacketMemory,
  PAGE_BYTES,
} from "../../caps/memory/memory.ts";
import type { Driver } from "../driver.ts";
import { EmulatedDriver, type EmulatedOptions } from "../emulated/driver.ts";
import {
  type CaptureOutput,
  createCaptureFile,
  hasToBeWaitedFor,
  openCaptureFile,
} from "../capture/file.ts";
import { CaptureError, openCapture } from "../capture/format.ts";
import { LINK_ETHERNET, linkName } from "../capture/packet.ts";
import { identityOf } from "../capture/same_file.ts";
import { ReplayEnd } from "./replay_end.ts";

/** The path that stands for standard input, as for tcpdump. */
const STANDARD_INPUT = "-";

/** What to replay, and how. */
export interface PcapOptions {
  /** The capture: pcap or pcapng, of Ethernet frames. */
  readonly path: string;
  /** Where its frames lie. */
  readonly memory: PacketMemory;
  /** As fast as frames are provided, or in the time that it took to capture. */
  readonly pace: "at-once" | "recorded";
  /** Microseconds of a monotonic clock; the process's own by default. */
  readonly now?: () => number;
  /** The hardware address; a locally administered one by default. */
  readonly mac?: Uint8Array;
  /** A capture file for what is transmitted; that is only counted by default. */
  readonly writePath?: string;
  /** Frames that its rings hold, each way; a power of two, 1,024 by default. */
  readonly ringFrames?: number;
}

/** A replay; its warning says what was wrong with the capture after what was read of it. */
export interface PcapDriver extends Driver {
  /** Once it has ended: in words; undefined when nothing was wrong. */
  readonly warning: string | undefined;
}

/**
 * Opens a capture file as a NIC. Frames that do not fit (`rx-oversize`,
 * `rx-empty`), or are not Ethernet (`rx-link-type`) though the first one is,
 * are counted. Nothing is dropped for want of a frame to receive into: the
 * capture waits.
 * @throws {Error} when there is no such file, it is not a capture, or its first
 * packet is not an Ethernet frame.
 */
export function openPcap(options: PcapOptions): PcapDriver {
  const { path, memory } = options;
  const name = `pcap:${path}`;
  using cleanup = new DisposableStack();
  if (path === STANDARD_INPUT || hasToBeWaitedFor(path)) {
    throw new Error(
      `${name}: is no regular file; a replay would stop the NIC's thread: copy it into one, or read it with sallyport capture -r`,
    );
  }
  const file = cleanup.use(openCaptureFile(path));
  const reader = openReader(file.chunks, name);
  let output: CaptureOutput | undefined;
  if (options.writePath !== undefined) {
    const apartFrom = [identityOf(path)];
    output = cleanup.use(createCaptureFile(options.writePath, { apartFrom }));
  }
  const end = new ReplayEnd({
    reader,
    writer: output?.writer,
    frameBytesMax: PAGE_BYTES - HEADROOM_BYTES,
    paced: options.pace === "recorded",
    now: options.now ?? (() => performance.now() * 1000),
  });
  const linkType = end.firstLinkType;
  if (linkType !== undefined && linkType !== LINK_ETHERNET) {
    throw new Error(
      `${name}: its packets are ${
        linkName(linkType)
      }; only captures of Ethernet (link type 1) can be replayed`,
    );
  }
  if (end.failed && linkType === undefined) {
    throw new Error(`${name}: ${end.warning}`);
  }
  const driver = new ReplayDriver({
    memory,
    end,
    name,
    mac: options.mac ?? Uint8Array.of(2, 0x70, 0x63, 0x61, 0x70, 1),
    mode: () => modeOf(`replay of ${reader.format}, ${options.pace}`, end),
    ...given({ ringFrames: options.ringFrames }),
  });
  // From here on they are closed with the driver.
  end.files = cleanup.move();
  return driver;
}

/** A wait for the next packet that is worth a word. */
const LONG_WAIT_MS = 10_000;

function modeOf(mode: string, { waitMs }: ReplayEnd): string {
  return waitMs < LONG_WAIT_MS
    ? mode
    : `${mode}; the next packet is due in ${Math.round(waitMs / 1000)} s`;
}

class ReplayDriver extends EmulatedDriver implements PcapDriver {
  readonly #end: ReplayEnd;

  constructor(options: EmulatedOptions & { readonly end: ReplayEnd }) {
    super(options);
    this.#end = options.end;
  }

  get warning(): string | undefined {
    return this.#end.warning;
  }
}

function openReader(chunks: Iterable<Uint8Array>, name: string) {
  try {
    return openCapture(chunks);
  } catch (error) {
    if (!(error instanceof CaptureError)) throw error;
    throw new Error(`${name}: ${error.message}`, { cause: error });
  }
}
