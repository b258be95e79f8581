/** Where `sallyport capture` puts the packets that match. */

import {
  type CaptureOutput,
  createCaptureFile,
} from "../../drivers/capture/file.ts";
import { type CapturePacket, linkName } from "../../drivers/capture/packet.ts";
import { type LineOptions, LinePrinter } from "./line.ts";
import type { Terminal } from "../screen/terminal.ts";

/** Takes packets. */
export interface PacketSink extends Disposable {
  /**
   * Takes one; its bytes are not kept.
   * @returns false when it wants no more: its reader has closed it.
   */
  take(packet: CapturePacket, number: number): boolean;
  /** Hands on what was gathered. Returns as {@link take} does. */
  flush(): boolean;
  /** Ends it as it is meant to end: also without packets a file is there, of this link type. */
  finish(linkType: number): void;
}

/** Takes packets and does nothing with them: they are counted elsewhere. */
export function discardPackets(): PacketSink {
  return {
    take: () => true,
    flush: () => true,
    finish: () => {},
    [Symbol.dispose]: () => {},
  };
}

/** Characters of lines that are gathered before they are written. */
const GATHERED_MAX = 32 * 1024;

/** Prints packets to standard output, many lines with one write. */
export function printPackets(
  terminal: Pick<Terminal, "write">,
  options: LineOptions,
): PacketSink {
  const printer = new LinePrinter(options);
  let gathered = "";
  const flush = () => {
    const text = gathered;
    gathered = "";
    return text === "" || terminal.write(text);
  };
  return {
    take: (packet, number) => {
      gathered += printer.print(packet, number);
      return gathered.length < GATHERED_MAX || flush();
    },
    flush,
    finish: () => {},
    [Symbol.dispose]: () => void flush(),
  };
}

/**
 * Writes packets to a capture file, which is created when the link type is
 * known: with the first packet that is given to {@link PacketSink.take}, or at
 * the end.
 */
export function writePackets(path: string): PacketSink {
  let output: CaptureOutput | undefined;
  let link = -1;
  const open = (linkType: number) => {
    link = linkType;
    return output = createCaptureFile(path, { linkType });
  };
  return {
    take: (packet) => {
      const { writer } = output ?? open(packet.linkType);
      if (packet.linkType !== link) {
        throw new Error(
          `capture: ${path} has packets of ${linkName(link)}; one of ${
            linkName(packet.linkType)
          } cannot go into the same file`,
        );
      }
      writer.write(packet);
      return true;
    },
    flush: () => {
      output?.writer.flush();
      return true;
    },
    finish: (linkType) => (output ?? open(linkType)).writer.flush(),
    [Symbol.dispose]: () => output?.[Symbol.dispose](),
  };
}
