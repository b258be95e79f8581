/** The ports that share one stream each way, by the numbers of their channels. */

import type { Port } from "../port.ts";
import { CHANNEL, CHANNELS_MAX, KIND } from "./message.ts";
import { type Source, StreamReader } from "./reader.ts";
import { decodeValue, encodeValue, type PortCodec } from "./values.ts";
import { StreamWriter } from "./writer.ts";

/** What a channel carries: plain values, or messages of bytes. */
export type Form = "values" | "bytes";

/** The end of the data channel: one of driver_end.ts and holder_end.ts. */
export interface DataEnd {
  /** Takes the message at hand, of kind `records`, `page` or `string`. */
  arrive(reader: StreamReader): void;
  /** Where a page of `sizeBytes` that comes now is to be read to. */
  pageFor(sizeBytes: number): Uint8Array<ArrayBuffer> | undefined;
}

/** What a side does with what is not a channel's. */
export interface ChannelsOptions {
  /** Which kinds of packets' messages the other side may send. */
  readonly dataKinds: readonly number[];
  /** Whether the other side may name channels in its values: that opens them here. */
  readonly opens: boolean;
  /** Connects a port that a value has with a new channel. Without it values have no ports. */
  readonly connect?: (port: object, channel: ChannelPort) => boolean;
  /** Called when the deadline that was put has come. */
  readonly onWake?: () => void;
  /** Called with the delay after which the other side wants to be woken; Infinity for never. */
  readonly onDeadline?: (delayMs: number) => void;
}

/** Messages of values, or of bytes, that wait at a channel at most. */
export const UNREAD_MAX = 1024;

/** One channel: a {@link Port}. */
export class ChannelPort implements Port<unknown, unknown> {
  onReady: (() => void) | undefined;
  closed = false;
  overrun = false;
  readonly number: number;
  readonly form: Form;
  readonly #channels: Channels;
  readonly #queue: unknown[] = [];

  constructor(channels: Channels, number: number, form: Form) {
    this.#channels = channels;
    this.number = number;
    this.form = form;
  }

  /** Puts a message into the stream. Returns false where that is full, or the channel closed. */
  post(message: unknown): boolean {
    if (this.closed) return false;
    return this.#channels.put(this, message);
  }

  /** The next message. */
  take(): unknown {
    return this.#queue.shift();
  }

  /** A message has come. */
  arrive(message: unknown): void {
    if (this.closed) return;
    if (this.#queue.length === UNREAD_MAX) {
      this.overrun = true;
      this[Symbol.dispose]();
    } else this.#queue.push(message);
    this.onReady?.();
  }

  /** Ends the channel, which was closed at the other end. */
  end(): void {
    this.closed = true;
    this.onReady?.();
  }

  /** Closes both ends. */
  [Symbol.dispose](): void {
    if (this.closed) return;
    this.closed = true;
    this.#queue.length = 0;
    this.#channels.forget(this.number);
  }
}

/** All channels of one service, seen from one side. */
export class Channels implements PortCodec {
  readonly writer: StreamWriter = new StreamWriter();
  /** To be set before anything is read. */
  data: DataEnd | undefined;
  /** Messages that made no sense. */
  nonsense = 0;
  /** Messages that came on channels. */
  arrived = 0;
  readonly #reader = new StreamReader();
  readonly #options: ChannelsOptions;
  readonly #ports = new Map<number, ChannelPort>();
  #next: number = CHANNEL.services;

  constructor(options: ChannelsOptions) {
    this.#options = options;
    this.#reader.pageFor = (sizeBytes) => this.data?.pageFor(sizeBytes);
  }

  /** Opens a channel that both sides know. */
  open(number: number, form: Form): ChannelPort {
    const port = new ChannelPort(this, number, form);
    this.#ports.set(number, port);
    return port;
  }

  /** Why nothing more is read of this stream, in words. */
  get broken(): string | undefined {
    return this.#reader.broken;
  }

  /** Whether the stream has ended within a message, if it has ended. */
  get torn(): boolean {
    return this.#reader.torn;
  }

  /** Reads once, and gives out what came. Returns how many bytes; 0 when nothing is here now, -1 at the end. */
  receive(source: Source): number {
    const count = this.#reader.fill(source);
    while (this.#reader.next()) this.#dispatch();
    return count;
  }

  /** Puts a message of `port` into the stream. */
  put(port: ChannelPort, message: unknown): boolean {
    const { writer } = this;
    if (writer.full) return false;
    if (port.form === "values") {
      writer.put(KIND.value, port.number, encodeValue(message, this));
    } else {
      const bytes = new Uint8Array(message as ArrayBuffer);
      writer.put(KIND.bytes, port.number, bytes);
    }
    return true;
  }

  /** Says to the other side when it is to wake this one. */
  putDeadline(delayMs: number): void {
    const { writer } = this;
    const at = writer.begin(KIND.deadline, CHANNEL.start, 8);
    writer.view.setFloat64(at, delayMs, true);
  }

  /** Wakes the other side. */
  putWake(): void {
    this.writer.begin(KIND.wake, CHANNEL.start, 0);
  }

  /** A channel is closed on this side. */
  forget(number: number): void {
    if (this.#ports.delete(number)) {
      this.writer.begin(KIND.close, number, 0);
    }
  }

  /** A new channel for a port that is in a value. */
  channelOf(port: object): number | undefined {
    const { connect } = this.#options;
    if (connect === undefined) return undefined;
    const number = this.#free();
    const channel = new ChannelPort(this, number, "bytes");
    if (!connect(port, channel)) return undefined;
    this.#ports.set(number, channel);
    return number;
  }

  /** The channel that a value names. */
  portOf(number: number): ChannelPort | undefined {
    if (
      !this.#options.opens || !Number.isInteger(number) ||
      number < CHANNEL.services || number >= CHANNELS_MAX ||
      this.#ports.has(number)
    ) return undefined;
    return this.open(number, "bytes");
  }

  /** Ends all channels: the other side has ended. */
  end(): void {
    for (const port of this.#ports.values()) port.end();
    this.#ports.clear();
  }

  #free(): number {
    for (let tries = CHANNEL.services; tries < CHANNELS_MAX; tries++) {
      const number = this.#next;
      this.#next = number + 1 < CHANNELS_MAX ? number + 1 : CHANNEL.services;
      if (!this.#ports.has(number)) return number;
    }
    throw new Error("no channel is free");
  }

  #dispatch(): void {
    const reader = this.#reader;
    const { kind, channel } = reader;
    if (this.#options.dataKinds.includes(kind)) this.data!.arrive(reader);
    else if (kind === KIND.value || kind === KIND.bytes) this.#arrive(channel);
    else if (kind === KIND.close) {
      this.#ports.get(channel)?.end();
      this.#ports.delete(channel);
    } else if (kind === KIND.wake) this.#options.onWake?.();
    else if (kind === KIND.deadline) this.#arriveDeadline();
    else this.nonsense++;
  }

  #arrive(channel: number): void {
    const { kind, bytes, start, end } = this.#reader;
    this.arrived++;
    const port = this.#ports.get(channel);
    // What was on its way to a channel when that was closed is nobody's fault.
    if (port === undefined) return;
    const form = kind === KIND.value ? "values" : "bytes";
    if (port.form !== form) this.nonsense++;
    else if (form === "bytes") port.arrive(bytes.buffer.slice(start, end));
    else {
      // In place of what is no value: null, which nobody expects.
      port.arrive(decodeValue(bytes.subarray(start, end), this) ?? null);
    }
  }

  #arriveDeadline(): void {
    const { view, start, end } = this.#reader;
    const delayMs = end - start === 8 ? view.getFloat64(start, true) : NaN;
    if (delayMs >= 0) this.#options.onDeadline?.(delayMs);
    else this.nonsense++;
  }
}
