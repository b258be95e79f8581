/** What becomes of each packet of a capture: filtered, counted, handed on. */

import {
  type CapturePacket,
  LINK_ETHERNET,
} from "../../drivers/capture/packet.ts";
import type { CaptureFilter } from "./filter.ts";
import type { PacketSink } from "./sink.ts";

/** Takes packets in, until there are enough. */
export class CaptureIntake {
  readonly #filter: CaptureFilter;
  readonly #sink: PacketSink;
  readonly #countMax: number;
  #seen = 0;
  #matched = 0;
  /** Of the first packet. */
  #linkType: number | undefined;

  constructor(filter: CaptureFilter, sink: PacketSink, countMax: number) {
    this.#filter = filter;
    this.#sink = sink;
    this.#countMax = countMax;
  }

  /** Takes one packet. Returns whether more are wanted. */
  take(packet: CapturePacket): boolean {
    this.#linkType ??= packet.linkType;
    this.#seen++;
    if (!this.#filter.matches(packet)) return true;
    this.#matched++;
    return this.#sink.take(packet, this.#matched) &&
      this.#matched < this.#countMax;
  }

  /** Hands on what was gathered. Returns whether more is wanted. */
  flush(): boolean {
    return this.#sink.flush();
  }

  /**
   * Ends the capture. A filter that no packet needed is compiled now, so that
   * its errors are seen all the same.
   */
  finish(): void {
    const linkType = this.#linkType ?? LINK_ETHERNET;
    this.#filter.prepare(linkType);
    this.#sink.finish(linkType);
  }

  /** Packets that were taken in. */
  get seen(): number {
    return this.#seen;
  }

  /** `3 packets matched of 17`. */
  describe(): string {
    return `${this.#matched} packets matched of ${this.#seen}`;
  }
}
