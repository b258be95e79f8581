/**
 * Ports: two-way channels of messages between protection domains. Holding one
 * end is the right to use it; an end crosses to another domain only when
 * somebody who has it posts it there.
 *
 * A port has two forms. In one process it is a pipe ({@link makePipe}); between
 * workers it is a MessagePort ({@link fromMessagePort}). Both move what is
 * transferred (the sender's view is detached), copy the rest, deliver in order,
 * and tell the receiver once when messages have come to an empty queue.
 *
 * Nothing waits in a port without bound: a pipe refuses a message when
 * `queueMax` are unread. A MessagePort cannot tell its sender how much is
 * unread, so there the protocol bounds it: a delivery takes a byte string that
 * its receiver gave back before, and a domain that posts what owns no buffers
 * of the driver's is cut off (drivers/service/holder.ts).
 */

import { dropPort } from "./drop_port.ts";

/** Kept here: a confined worker takes it away from what runs later. */
const clone = structuredClone;

/** One end of a channel that sends `Out` and receives `In`. */
export interface Port<Out, In> extends Disposable {
  /**
   * Posts a message, moving the buffers in `transfer`.
   * @returns false when it was not taken (the queue is full, the port closed);
   * the buffers are then still the caller's.
   */
  post(message: Out, transfer?: Transferable[]): boolean;
  /** The next message that has arrived, or undefined. Never waits. */
  take(): In | undefined;
  /**
   * Called when messages have come to an empty queue, and when the port was
   * closed for more being unread than may be; takes them, or has somebody take
   * them soon.
   */
  onReady: (() => void) | undefined;
  /** Whether this end was closed, or is known to have lost its other end. */
  readonly closed: boolean;
  /** Whether it was closed since more was unread than may be. */
  readonly overrun?: boolean;
  /** Whether so much waits to be read that what can be left out is to be left out; never where it is absent. */
  readonly full?: boolean;
}

/**
 * Takes what has arrived, one message after the other, until nothing is left or
 * the port is closed.
 */
export function* takeAll<Out, In>(
  port: Port<Out, In>,
): Generator<In, void, void> {
  for (let next = port.take(); next !== undefined; next = port.take()) {
    yield next;
  }
}

/** The most messages that wait unread in a pipe, by default. */
const PIPE_QUEUE_MAX = 1024;

class PipeEnd<Out, In> implements Port<Out, In> {
  onReady: (() => void) | undefined;
  closed = false;
  other: PipeEnd<In, Out> | undefined;
  readonly #queueMax: number;
  #queue: In[] = [];
  #next = 0;

  constructor(queueMax: number) {
    this.#queueMax = queueMax;
  }

  post(message: Out, transfer: Transferable[] = []): boolean {
    const other = this.other;
    if (this.closed || other === undefined || other.closed || other.full) {
      return false;
    }
    // The same rules as between workers: a clone, and what is moved is detached here.
    other.#arrive(something(clone(message, { transfer })));
    return true;
  }

  take(): In | undefined {
    if (this.#next === this.#queue.length) return undefined;
    const message = this.#queue[this.#next++];
    if (this.#next === this.#queue.length) {
      this.#queue = [];
      this.#next = 0;
    }
    return message;
  }

  get full(): boolean {
    return this.#queue.length - this.#next >= this.#queueMax;
  }

  #arrive(message: In): void {
    const wasEmpty = this.#next === this.#queue.length;
    this.#queue.push(message);
    if (wasEmpty) queueMicrotask(() => this.onReady?.());
  }

  [Symbol.dispose](): void {
    this.closed = true;
    if (this.other !== undefined) this.other.closed = true;
    this.#queue = [];
    this.#next = 0;
  }
}

/**
 * A channel inside one process: both its ends. Messages are cloned and moved
 * just as between workers, so that what works here works there.
 */
export function makePipe<A, B>(
  options: { readonly queueMax?: number } = {},
): [Port<A, B>, Port<B, A>] {
  const queueMax = options.queueMax ?? PIPE_QUEUE_MAX;
  const left = new PipeEnd<A, B>(queueMax);
  const right = new PipeEnd<B, A>(queueMax);
  left.other = right;
  right.other = left;
  return [left, right];
}

/** Takes a waiting message from a MessagePort at once (`receiveMessageOnPort` of node:worker_threads does). */
export type TakeNow = (
  port: MessagePort,
) => { readonly message: unknown } | undefined;

/**
 * The message, which may be anything; `undefined`, which would say that there is
 * none and leave those behind it waiting, comes as null. So does a message that
 * cannot be read: its sender can post one, and it is the reader's to refuse.
 */
function something<In>(message: unknown): In {
  return (message ?? null) as In;
}

/**
 * Turns of the event loop in which all that was posted before them arrives: what
 * it has taken off a channel is dispatched some time later.
 */
export const ARRIVAL_TURNS = 4;

/** What a {@link WorkerPort} puts on the wire: a message and its number. */
type Numbered = readonly [number: number, message: unknown];

/** A domain that goes round this port may send anything, without a number too. */
function isNumbered(data: unknown): data is Numbered {
  return Array.isArray(data) && data.length === 2 &&
    typeof data[0] === "number";
}

/** How an end between workers works. */
export interface WorkerPortOptions {
  /** Takes messages that the event loop has not dispatched yet; none by default. */
  readonly takeNow?: TakeNow;
  /** Unread messages at which the port is closed; by default there is no limit. */
  readonly unreadMax?: number;
  /** Whether what is posted has numbers, for an other end with `takeNow`; true by default. Without, a round trip takes a tenth less. */
  readonly numbered?: boolean;
}

/**
 * Messages come two ways: as events, and at once by `takeNow`. The event loop
 * takes a message off the channel some time before it dispatches it, and in
 * that time `takeNow` would give the one behind it (5 % of the messages of a
 * busy sender). So each has a number, and one that comes too soon is kept until
 * the event has come: there is never more than one under way.
 */
class WorkerPort<Out, In> implements Port<Out, In> {
  onReady: (() => void) | undefined;
  closed = false;
  overrun = false;
  #port: MessagePort;
  readonly #takeNow: TakeNow | undefined;
  readonly #unreadMax: number;
  readonly #numbered: boolean;
  #queue: In[] = [];
  #next = 0;
  /** The number of the next message that is posted. */
  #posted = 0;
  /** The number of the next message that arrives, if none is under way as an event. */
  #expected = 0;
  /** A message that `takeNow` gave before its turn. */
  #early: Numbered | undefined;

  constructor(port: MessagePort, options: WorkerPortOptions) {
    const { takeNow, unreadMax = Infinity, numbered = true } = options;
    this.#port = port;
    this.#unreadMax = unreadMax;
    this.#takeNow = takeNow;
    this.#numbered = numbered;
    this.#listen();
  }

  #listen(): void {
    const port = this.#port;
    port.onmessage = (event: MessageEvent) => this.#arrive(event.data);
    port.onmessageerror = () => {
      this.#renew();
      this.#arrive(this.#unreadable());
    };
  }

  /** The runtime dispatches nothing more of a port that had an unreadable message; a moved one it does. */
  #renew(): void {
    const port = this.#port;
    port.onmessage = null;
    this.#port = clone(port, { transfer: [port] });
    this.#listen();
  }

  post(message: Out, transfer: Transferable[] = []): boolean {
    if (this.closed) return false;
    const data = this.#numbered ? [this.#posted++, message] : message;
    this.#port.postMessage(data, transfer);
    return true;
  }

  take(): In | undefined {
    if (this.#next < this.#queue.length) {
      const message = this.#queue[this.#next++];
      if (this.#next === this.#queue.length) {
        this.#queue = [];
        this.#next = 0;
      }
      return message;
    }
    return this.#takeAtOnce();
  }

  /**
   * What has arrived but was not dispatched yet: this is how a busy loop that
   * does not return to its event loop is served all the same.
   */
  #takeAtOnce(): In | undefined {
    if (this.closed || this.#early !== undefined) return undefined;
    const taken = this.#take();
    if (taken === undefined) return undefined;
    const data = taken.message;
    if (isNumbered(data) && data[0] !== this.#expected) {
      this.#early = data;
      return undefined;
    }
    return this.#open(data);
  }

  #take(): { readonly message: unknown } | undefined {
    try {
      return this.#takeNow?.(this.#port);
    } catch {
      // The runtime throws where it cannot read a message, which is then lost.
      return { message: this.#unreadable() };
    }
  }

  /** In place of a message whose number nobody knows: it took the next one. */
  #unreadable(): Numbered {
    return [this.#expected, null];
  }

  /** An event's message is older than any that was not given out yet. */
  #arrive(data: unknown): void {
    const wasEmpty = this.#next === this.#queue.length;
    // The runtime hands over one message after the other for as long as there
    // are any: a flood would keep this thread from all else.
    if (this.#queue.length - this.#next >= this.#unreadMax) {
      this.overrun = true;
      this[Symbol.dispose]();
      return this.onReady?.();
    }
    this.#queue.push(this.#open(data));
    const early = this.#early;
    if (early !== undefined) {
      this.#early = undefined;
      this.#queue.push(this.#open(early));
    }
    if (wasEmpty) this.onReady?.();
  }

  #open(data: unknown): In {
    if (!isNumbered(data)) return something<In>(data);
    this.#expected = data[0] + 1;
    return something<In>(data[1]);
  }

  [Symbol.dispose](): void {
    if (this.closed) return;
    this.closed = true;
    this.#port.onmessage = null;
    dropPort(this.#port);
    this.#queue = [];
    this.#next = 0;
    this.#early = undefined;
  }
}

/**
 * One end of a channel between workers. With `takeNow`, {@link Port.take} sees
 * messages that the event loop has not dispatched yet.
 */
export function fromMessagePort<Out, In>(
  port: MessagePort,
  options: WorkerPortOptions = {},
): Port<Out, In> {
  return new WorkerPort<Out, In>(port, options);
}

/** An end that a domain is given: a MessagePort, or, where channels share a pipe, a port of one of them. */
export type PortEnd<Out, In> = MessagePort | Port<Out, In>;

/** The port of an end that was given. `options` are those of a MessagePort. */
export function openEnd<Out, In>(
  end: PortEnd<Out, In>,
  options: WorkerPortOptions = {},
): Port<Out, In> {
  return "take" in end ? end : fromMessagePort(end, options);
}
