/** A packet as `sallyport capture` prints it. */

import type { CapturePacket } from "../../drivers/capture/packet.ts";
import {
  describeLinked,
  linkHeaderBytes,
  linkOf,
} from "../../services/wire/link.ts";
import { hexDump } from "../screen/hex_dump.ts";

/** What a line is to have. */
export interface LineOptions {
  /** Whether packets are numbered, from 1. */
  readonly numbers: boolean;
  /** Whether less is to be said. */
  readonly quiet: boolean;
  /** Whether the bytes come after it. */
  readonly dump: boolean;
  /** Time of a packet: local time of day, with the date, seconds since 1970, or none. */
  readonly time: "day" | "date" | "seconds" | "none";
}

/** Makes lines. */
export class LinePrinter {
  readonly #options: LineOptions;
  /** The second that {@link #secondText} is the text of. */
  #second = -1;
  #secondText = "";

  constructor(options: LineOptions) {
    this.#options = options;
  }

  /** The packet's line, with a line break, and lines with its bytes where they are wanted. */
  print(packet: CapturePacket, number: number): string {
    const { numbers, quiet, dump } = this.#options;
    const { bytes, start, length, linkType } = packet;
    const end = start + length;
    const link = linkOf(linkType);
    const what = link === undefined
      ? `link type ${linkType}, length ${packet.originalLength}`
      : describeLinked(link, bytes, start, end, { quiet });
    const count = numbers ? `${String(number).padStart(5)}  ` : "";
    const line = `${count}${this.#timeOf(packet)}${what}\n`;
    if (!dump) return line;
    const headerBytes = link === undefined
      ? 0
      : linkHeaderBytes(link, bytes, start, end);
    return line + hexDump(bytes, start + headerBytes, end);
  }

  #timeOf({ seconds, nanoseconds }: CapturePacket): string {
    const { time } = this.#options;
    if (time === "none") return "";
    if (seconds !== this.#second) {
      this.#second = seconds;
      this.#secondText = time === "seconds"
        ? String(seconds)
        : localTime(seconds, time === "date");
    }
    const micros = String(Math.floor(nanoseconds / 1000)).padStart(6, "0");
    return `${this.#secondText}.${micros} `;
  }
}

function localTime(seconds: number, withDate: boolean): string {
  const at = new Date(seconds * 1000);
  const day = [at.getHours(), at.getMinutes(), at.getSeconds()].map(two)
    .join(":");
  if (!withDate) return day;
  const date = [at.getFullYear(), two(at.getMonth() + 1), two(at.getDate())];
  return `${date.join("-")} ${day}`;
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}
