/** `sallyport capture -w`: packets into a capture file, a pipe, or files one after the other. */

import {
  type CaptureOutput,
  createCaptureFile,
  createCaptureFileAsync,
  type OutputOptions,
  ReaderGoneError,
  STANDARD_OUTPUT,
} from "../../drivers/capture/file.ts";
import { type CapturePacket, linkName } from "../../drivers/capture/packet.ts";
import type { FileIdentity } from "../../drivers/capture/same_file.ts";
import { FileNames, type Rotation } from "./rotation.ts";
import type { CaptureKind, PacketSink } from "./sink.ts";

/** What is written, and how. */
export interface WritePlan {
  /** A path; `-` is standard output. */
  readonly path: string;
  /** Undefined for one file. */
  readonly rotation: Rotation | undefined;
  /** Unit of times in classic pcap; undefined for nanoseconds where the packets have them. */
  readonly unit: "us" | "ns" | undefined;
  /** The most bytes of a packet that are written. */
  readonly snapBytes: number;
  /** Whether each packet goes out at once. */
  readonly atOnce: boolean;
  /** The files that are read meanwhile. */
  readonly apartFrom: readonly (FileIdentity | undefined)[];
}

/** Writes packets to the file of `plan`, which is created when it is known what comes. */
export function writePackets(plan: WritePlan): PacketSink {
  return new FileSink(plan);
}

const ONE_FILE: Rotation = {
  bytesMax: Infinity,
  secondsMax: Infinity,
  filesMax: Infinity,
};

class FileSink implements PacketSink {
  readonly #plan: WritePlan;
  readonly #rotation: Rotation;
  readonly #names: FileNames;
  #output: CaptureOutput | undefined;
  #kind: CaptureKind | undefined;
  /** When the file at hand was begun, in seconds since 1970 by the packets' times. */
  #begunAt = 0;
  #warning: string | undefined;
  /** Whether a file is being opened: a FIFO may never have a reader. */
  #opening = false;

  constructor(plan: WritePlan) {
    this.#plan = plan;
    this.#rotation = plan.rotation ?? ONE_FILE;
    this.#names = new FileNames(plan.path, this.#rotation);
  }

  get warning(): string | undefined {
    return this.#warning ?? this.#output?.writer.warning;
  }

  async begin(kind: CaptureKind): Promise<void> {
    // A name with the time in it waits for the first packet's.
    if (this.#rotation.secondsMax < Infinity) return;
    const name = this.#names.nameAt(0);
    this.#kind = kind;
    this.#opening = true;
    this.#output = await createCaptureFileAsync(name, this.#options(kind));
    this.#opening = false;
  }

  take(packet: CapturePacket): boolean {
    const kind = this.#kind ??= packet;
    if (packet.linkType !== kind.linkType) {
      throw new Error(
        `capture: ${this.#plan.path} has packets of ${
          linkName(kind.linkType)
        }; one of ${linkName(packet.linkType)} cannot go into the same file`,
      );
    }
    return this.#unlessReaderGone(() => {
      if (!this.#rotate(packet)) return false;
      const { writer } = this.#output ?? this.#open(kind, packet.seconds);
      writer.write(packet);
      if (this.#plan.atOnce) writer.flush();
      return true;
    });
  }

  flush(): boolean {
    return this.#unlessReaderGone(() => {
      this.#output?.writer.flush();
      return true;
    });
  }

  finish(kind: CaptureKind): void {
    if (this.#opening) return;
    this.#unlessReaderGone(() => {
      const output = this.#output ?? this.#open(kind, Date.now() / 1000);
      output.writer.flush();
      return true;
    });
  }

  [Symbol.dispose](): void {
    this.#unlessReaderGone(() => {
      this.#close();
      return true;
    });
  }

  /** Closes a file that is full. Returns false when there are enough. */
  #rotate({ seconds }: CapturePacket): boolean {
    const output = this.#output;
    if (output === undefined) return true;
    const { secondsMax, bytesMax } = this.#rotation;
    if (seconds - this.#begunAt >= secondsMax) {
      if (!this.#names.nextForTime()) return false;
      this.#close();
    } else if (output.writer.writtenBytes > bytesMax) {
      this.#names.nextForSize();
      this.#close();
    }
    return true;
  }

  #open(kind: CaptureKind, seconds: number): CaptureOutput {
    this.#kind = kind;
    this.#begunAt = seconds;
    const name = this.#names.nameAt(seconds);
    return this.#output = createCaptureFile(name, this.#options(kind));
  }

  #close(): void {
    const output = this.#output;
    this.#warning = this.warning;
    this.#output = undefined;
    output?.[Symbol.dispose]();
  }

  #options({ linkType, finerThanMicroseconds }: CaptureKind): OutputOptions {
    const { path, unit, snapBytes, apartFrom } = this.#plan;
    return {
      linkType,
      unit: unit ?? (finerThanMicroseconds ? "ns" : "us"),
      snapBytes,
      apartFrom,
      // Of the name without a number behind it.
      format: /\.(pcapng|ntar)$/i.test(path) ? "pcapng" : "pcap",
    };
  }

  /** A program that standard output goes to may have had enough, and that is no failure. */
  #unlessReaderGone(step: () => boolean): boolean {
    try {
      return step();
    } catch (error) {
      const quiet = error instanceof ReaderGoneError &&
        this.#plan.path === STANDARD_OUTPUT;
      if (quiet) return false;
      throw error;
    }
  }
}
