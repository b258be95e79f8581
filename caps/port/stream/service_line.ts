/**
 * A service in a process, seen from the one that made it: what comes from the
 * process goes to the ports that the service would have in a worker, and what
 * comes from them goes to the process.
 *
 * ```
 *   control ──┐                                   ┌── control
 *   requests ─┤                 pipes             ├── requests
 *   data ─────┼── ServiceLine ══════════ process ─┼── data
 *   … ────────┘                                   └── …
 * ```
 */

import { given } from "../../kernel/given.ts";
import { fromMessagePort, type Port } from "../port.ts";
import type { Delivery } from "../records.ts";
import { type ChannelPort, Channels, UNREAD_MAX } from "./channels.ts";
import { DriverEnd } from "./driver_end.ts";
import { CHANNEL, DATA_KINDS } from "./message.ts";
import type { Source } from "./reader.ts";
import type { Sink } from "./writer.ts";

/** Messages that made no sense after which a process is ended. */
const NONSENSE_MAX = 64;

/** What a line joins, once its process is to begin. */
export interface ServiceLineEnds {
  /** The first message: plain data. */
  readonly start: unknown;
  /** To the system. */
  readonly control: Port<unknown, unknown>;
  /** To the filter service. */
  readonly requests: Port<unknown, unknown>;
  /** To the driver service, where that is not at {@link ServiceLine.data} itself. */
  readonly data?: Port<unknown, Delivery | null>;
}

/** How a line works. */
export interface ServiceLineOptions {
  /** How many bytes of the stream the process has read; by default all that were written. */
  readonly readByHolder?: () => number;
  /** Submissions that may be unread. */
  readonly unreadMax: number;
  /** Called when there is something to flush. */
  readonly onWork: () => void;
}

/** Two ports of which each gets what the other brings. */
interface Pump {
  readonly port: Port<unknown, unknown>;
  readonly channel: Port<unknown, unknown>;
}

/** One life of a process's channels. */
export class ServiceLine {
  /** For the driver service. */
  readonly data: DriverEnd;
  /** When the process wants to be woken, in the milliseconds of `performance.now()`. */
  wakeAtMs = Infinity;
  readonly #channels: Channels;
  readonly #onWork: () => void;
  readonly #pumps = new Set<Pump>();

  constructor({ readByHolder, unreadMax, onWork }: ServiceLineOptions) {
    this.#onWork = onWork;
    const channels = new Channels({
      dataKinds: DATA_KINDS.fromHolder,
      opens: false,
      connect: (port, channel) => this.#connect(port, channel),
      onDeadline: (delayMs) => this.wakeAtMs = performance.now() + delayMs,
    });
    this.#channels = channels;
    this.data = new DriverEnd({
      writer: channels.writer,
      unreadMax,
      ...given({ readByHolder }),
    });
    channels.data = this.data;
  }

  /** Tells the process what it is, and joins its channels with `ends`. */
  begin({ start, control, requests, data }: ServiceLineEnds): void {
    const channels = this.#channels;
    channels.open(CHANNEL.start, "values").post(start);
    this.#pump(control, channels.open(CHANNEL.control, "values"));
    this.#pump(requests, channels.open(CHANNEL.requests, "values"));
    if (data !== undefined) {
      this.#pump(data, this.data as Port<unknown, unknown>);
    }
    this.#onWork();
  }

  /** Why the process is to be ended, in words; undefined while it keeps to the protocol. */
  get broken(): string | undefined {
    const { broken, nonsense } = this.#channels;
    if (broken !== undefined || nonsense < NONSENSE_MAX) return broken;
    return "too many of its messages made no sense";
  }

  /** Whether everything is written that is for the process. */
  get flushed(): boolean {
    return this.#channels.writer.empty;
  }

  /** Bytes that were written to the process. */
  get written(): number {
    return this.#channels.writer.written;
  }

  /** Reads once. Returns how many bytes; 0 when nothing is here now, -1 at the end. */
  receive(source: Source): number {
    return this.#channels.receive(source);
  }

  /** Writes as much as the process takes. Returns false when it reads nothing more. */
  flush(sink: Sink): boolean {
    for (const pump of this.#pumps) this.#feed(pump);
    if (performance.now() >= this.wakeAtMs) {
      this.wakeAtMs = Infinity;
      this.#channels.putWake();
    }
    return this.#channels.writer.flush(sink);
  }

  /** The process has ended. What it had of the driver's comes back, and all its channels are closed. */
  end(): void {
    this.data.recall();
    this.data.onReady?.();
    this.#channels.end();
    for (const pump of this.#pumps) this.#close(pump);
  }

  #pump(port: Port<unknown, unknown>, channel: Port<unknown, unknown>): void {
    const pump = { port, channel };
    this.#pumps.add(pump);
    port.onReady = () => {
      if (this.#feed(pump)) this.#onWork();
    };
    channel.onReady = () => this.#drain(pump);
  }

  /** Moves what `port` has brought, as long as the stream takes it. Returns whether there was any. */
  #feed(pump: Pump): boolean {
    const { port, channel } = pump;
    let some = false;
    while (!this.#channels.writer.behind) {
      const message = port.take();
      if (message === undefined) break;
      channel.post(message);
      some = true;
    }
    if (port.closed) this.#close(pump);
    return some;
  }

  #drain(pump: Pump): void {
    const { port, channel } = pump;
    for (
      let message = channel.take();
      message !== undefined;
      message = channel.take()
    ) post(port, message);
    if (channel.closed) this.#close(pump);
  }

  #close(pump: Pump): void {
    this.#pumps.delete(pump);
    pump.port[Symbol.dispose]();
    pump.channel[Symbol.dispose]();
  }

  /** A port between services that the system gives this one. */
  #connect(port: object, channel: ChannelPort): boolean {
    if (!(port instanceof MessagePort)) return false;
    const options = { unreadMax: UNREAD_MAX, numbered: false };
    this.#pump(fromMessagePort<unknown, unknown>(port, options), channel);
    return true;
  }
}

/** Packets move their buffers, all else is copied. */
function post(port: Port<unknown, unknown>, message: unknown): void {
  if (typeof message === "object" && message !== null && "records" in message) {
    const { records, pages } = message as Delivery;
    port.post(message, [records, ...pages]);
  } else if (message instanceof ArrayBuffer) port.post(message, [message]);
  else port.post(message);
}
