/** Puts frames that were held into a byte string of the layer's own. */

import { RecordWriter } from "../../caps/port/record_writer.ts";
import type { Delivery } from "../../caps/port/records.ts";
import type { HeldFrame } from "./held_frames.ts";
import type { StringPool } from "./string_pool.ts";

/** One message being put together. */
export class DeliveryBuilder {
  readonly #strings: StringPool;
  readonly #writer = new RecordWriter();
  /** The places of the capabilities that it names. */
  readonly #places = new Map<bigint, number>();
  #pages: ArrayBuffer[] = [];

  /** Takes its byte string, when it needs one, from `strings`. */
  constructor(strings: StringPool) {
    this.#strings = strings;
  }

  /** Adds a frame; false when it belongs into the next message. */
  add({ capability, record, page }: HeldFrame): boolean {
    const writer = this.#writer;
    if (writer.view === undefined) writer.begin(this.#strings.take());
    if (!writer.fits(record.length)) return false;
    const at = writer.addRecord(this.#placeOf(capability), record);
    if (page !== undefined) {
      writer.view!.setPage(at, this.#pages.length);
      this.#pages.push(page);
    }
    return true;
  }

  /** Adds only the frame's page, to go back; false when it belongs into the next message. */
  addReturn(held: HeldFrame): boolean {
    if (held.page === undefined) return true;
    if (!this.add(held)) return false;
    const writer = this.#writer;
    writer.view!.setLength(writer.at - held.record.length, 0);
    return true;
  }

  /** The message; undefined when nothing was added. */
  take(): Delivery | undefined {
    const writer = this.#writer;
    if (writer.view === undefined) return undefined;
    const pages = this.#pages;
    this.#pages = [];
    this.#places.clear();
    return writer.take(pages);
  }

  #placeOf(capability: bigint): number {
    let place = this.#places.get(capability);
    if (place === undefined) {
      place = this.#writer.name(capability);
      this.#places.set(capability, place);
    }
    return place;
  }
}
