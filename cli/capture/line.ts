/** A packet as `sallyport capture` prints it. */

import type { CapturePacket } from "../../drivers/capture/packet.ts";
import { describeEthernetHeader } from "../../services/wire/describe.ts";
import type { LinkType } from "../../services/wire/link_type.ts";
import {
  describeLinked,
  linkHeaderBytes,
  linkOf,
} from "../../services/wire/link.ts";
import { asciiDump, hexDump } from "../screen/hex_dump.ts";
import { type TimeStyle, TimeText } from "./time_text.ts";

/** How bytes are shown. */
export interface DumpOptions {
  readonly as: "hex" | "hex-and-ascii" | "ascii";
  /** Whether from the link's header on, not behind it. */
  readonly linkHeader: boolean;
}

/** What a line is to have. */
export interface LineOptions {
  /** Whether packets are numbered, from 1. */
  readonly numbers: boolean;
  /** Whether less is to be said. */
  readonly quiet: boolean;
  /** Whether it begins with the link's header. */
  readonly linkHeader: boolean;
  /** How the bytes come after it; undefined for not at all. */
  readonly dump: DumpOptions | undefined;
  readonly time: TimeStyle;
  /** The most bytes of a packet that are looked at. */
  readonly snapBytes: number;
  /** Whether times have nine digits behind the second. */
  readonly nanoseconds: boolean;
}

/** What the Ethernet header has said already. */
const PROTOCOL_NAME = /^(?:IP6? |ARP, )/;

/** Makes lines. */
export class LinePrinter {
  readonly #options: LineOptions;
  readonly #times: TimeText;

  constructor(options: LineOptions) {
    this.#options = options;
    this.#times = new TimeText(options.time, options.nanoseconds);
  }

  /** The packet's line, with a line break, and lines with its bytes where they are wanted. */
  print(packet: CapturePacket, number: number): string {
    const { numbers, dump, snapBytes } = this.#options;
    const { bytes, start, linkType } = packet;
    const end = start + Math.min(packet.length, snapBytes);
    const link = linkOf(linkType);
    const count = numbers ? `${String(number).padStart(5)}  ` : "";
    const line = `${count}${this.#times.of(packet)}${
      this.#what(packet, end, link)
    }\n`;
    if (dump === undefined) return line;
    const headerBytes = link === undefined || dump.linkHeader
      ? 0
      : linkHeaderBytes(link, bytes, start, end);
    const from = start + headerBytes;
    return line +
      (dump.as === "ascii"
        ? asciiDump(bytes, from, end)
        : hexDump(bytes, from, end, { ascii: dump.as === "hex-and-ascii" }));
  }

  #what(
    { bytes, start, linkType, originalLength }: CapturePacket,
    end: number,
    link: LinkType | undefined,
  ): string {
    if (link === undefined) {
      return `link type ${linkType}, length ${originalLength}`;
    }
    const { quiet, linkHeader } = this.#options;
    const what = describeLinked(link, bytes, start, end, { quiet });
    if (!linkHeader || link !== "ethernet") return what;
    const header = describeEthernetHeader(bytes, start, end, originalLength);
    // Of what is not known its addresses and type are said anyway.
    const addresses = /^\S+ > \S+, /.exec(header)?.[0];
    return addresses === undefined || what.startsWith(addresses)
      ? what
      : `${header}: ${what.replace(PROTOCOL_NAME, "")}`;
  }
}
