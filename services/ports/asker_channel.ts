/** One of the services that may ask at an answering end: its channel, its places, what it did wrong. */

import type { Port } from "../../caps/port/port.ts";
import { PUSHES_MAX, REQUESTS_MAX } from "./limits.ts";
import { MessageWriter } from "./message.ts";
import { Unread } from "./unread.ts";

/** A service that may ask. */
export class AskerChannel {
  readonly name: string;
  readonly port: Port<ArrayBuffer, unknown>;
  readonly unread = new Unread();
  readonly writer = new MessageWriter();
  /** Answers and pushes in the message that is being put together. */
  answers = 0;
  pushes = 0;
  /** Requests that are to be answered later. */
  later = 0;
  /** Pushes that found no room since the last one that did. */
  lost = 0;
  strikes = 0;
  /** Whether the core was not told of it yet. */
  isNew = true;

  constructor(name: string, port: Port<ArrayBuffer, unknown>) {
    this.name = name;
    this.port = port;
  }

  /** Whether one more request has a place: an honest asker has no more than these under way. */
  get hasPlace(): boolean {
    return this.later + this.answers + this.unread.answers < REQUESTS_MAX;
  }

  get takesPush(): boolean {
    return this.pushes + this.unread.pushes < PUSHES_MAX;
  }

  /** Makes room for one more record. */
  makeRoom(): void {
    if (!this.writer.hasRoom) this.post();
  }

  post(): void {
    if (this.writer.empty) return;
    const token = this.unread.add(this.answers, this.pushes);
    this.answers = 0;
    this.pushes = 0;
    this.port.post(this.writer.take(token));
  }
}
