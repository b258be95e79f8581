/** What becomes of each packet of a capture: filtered, counted, handed on. */

import {
  type CapturePacket,
  LINK_ETHERNET,
} from "../../drivers/capture/packet.ts";
import type { CaptureFilter } from "./filter.ts";
import type { CaptureKind, PacketSink } from "./sink.ts";

/** What a capture is that nothing is known of. */
const ETHERNET: CaptureKind = {
  linkType: LINK_ETHERNET,
  finerThanMicroseconds: false,
};

/** Takes packets in, until there are enough. */
export class CaptureIntake {
  readonly #filter: CaptureFilter;
  readonly #sink: PacketSink;
  readonly #countMax: number;
  #seen = 0;
  #matched = 0;
  /** As it was announced, or of the first packet. */
  #kind: CaptureKind | undefined;

  constructor(filter: CaptureFilter, sink: PacketSink, countMax: number) {
    this.#filter = filter;
    this.#sink = sink;
    this.#countMax = countMax;
  }

  /**
   * Gets ready for such packets: a filter that is refused for them, and a file
   * that cannot be written, are known before the first one.
   */
  async begin(kind: CaptureKind): Promise<void> {
    this.#filter.prepare(kind.linkType);
    this.#kind = kind;
    await this.#sink.begin(kind);
  }

  /** Takes one packet. Returns whether more are wanted. */
  take(packet: CapturePacket): boolean {
    this.#kind ??= {
      linkType: packet.linkType,
      finerThanMicroseconds: packet.finerThanMicroseconds,
    };
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
    const kind = this.#kind ?? ETHERNET;
    this.#filter.prepare(kind.linkType);
    this.#sink.finish(kind);
  }

  /** What went wrong with packets that were handed on, in words. */
  get warning(): string | undefined {
    return this.#sink.warning;
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
