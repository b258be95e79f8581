/** Where `sallyport capture` puts the packets that match. */

import type { CapturePacket } from "../../drivers/capture/packet.ts";
import { type LineOptions, LinePrinter } from "./line.ts";
import type { Terminal } from "../screen/terminal.ts";

/** What a capture's packets are, as far as it is known before the first. */
export interface CaptureKind {
  readonly linkType: number;
  /** Whether the times are finer than microseconds. */
  readonly finerThanMicroseconds: boolean;
}

/** Takes packets. */
export interface PacketSink extends Disposable {
  /** Gets ready, as soon as it is known what comes. */
  begin(kind: CaptureKind): Promise<void>;
  /**
   * Takes one; its bytes are not kept.
   * @returns false when it wants no more: its reader has closed it.
   */
  take(packet: CapturePacket, number: number): boolean;
  /** Hands on what was gathered. Returns as {@link take} does. */
  flush(): boolean;
  /** Ends it as it is meant to end: also without packets a file is there, of this kind. */
  finish(kind: CaptureKind): void;
  /** What went wrong with packets that were taken, in words. */
  readonly warning: string | undefined;
}

/** Takes packets and does nothing with them: they are counted elsewhere. */
export function discardPackets(): PacketSink {
  return {
    begin: () => Promise.resolve(),
    take: () => true,
    flush: () => true,
    finish: () => {},
    warning: undefined,
    [Symbol.dispose]: () => {},
  };
}

/** Characters of lines that are gathered before they are written. */
const GATHERED_MAX = 32 * 1024;

/** Prints packets to standard output, many lines with one write, or each at once. */
export function printPackets(
  terminal: Pick<Terminal, "write">,
  options: LineOptions & { readonly atOnce: boolean },
): PacketSink {
  const printer = new LinePrinter(options);
  const gatheredMax = options.atOnce ? 0 : GATHERED_MAX;
  let gathered = "";
  const flush = () => {
    const text = gathered;
    gathered = "";
    return text === "" || terminal.write(text);
  };
  return {
    begin: () => Promise.resolve(),
    take: (packet, number) => {
      gathered += printer.print(packet, number);
      return gathered.length < gatheredMax || flush();
    },
    flush,
    finish: () => {},
    warning: undefined,
    [Symbol.dispose]: () => void flush(),
  };
}
