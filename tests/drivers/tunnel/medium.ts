/** What lies between two tunnel ends in tests: it keeps everything, and passes on what it is told to. */

import { type Bytes, KIND } from "../../../drivers/tunnel/datagram.ts";
import type { DatagramSocket } from "../../../drivers/tunnel/socket.ts";

/** Which of the two sockets. */
export type Side = 0 | 1;

/** A datagram, as it was sent. */
export interface Recorded {
  readonly from: Side;
  readonly bytes: Bytes;
}

/** Datagrams from one side to the other, and from anybody else to either. */
export class Medium {
  /** All that was sent. */
  readonly log: Recorded[] = [];
  /** What becomes of a datagram: those that arrive in its place. */
  pass: (datagram: Bytes, from: Side) => readonly Bytes[] = (one) => [one];
  readonly #sockets: (MediumSocket | undefined)[] = [undefined, undefined];

  /** A new socket of `side`, in place of the one before. */
  open(side: Side): DatagramSocket {
    const socket = new MediumSocket((bytes) => {
      const datagram = bytes.slice();
      this.log.push({ from: side, bytes: datagram });
      const to = side === 0 ? 1 : 0;
      this.#sockets[to]?.arrive(...this.pass(datagram, side));
    });
    this.#sockets[side] = socket;
    return socket;
  }

  /** Has `datagrams` arrive at `side`, as if the peer had sent them. */
  inject(side: Side, ...datagrams: readonly Bytes[]): void {
    this.#sockets[side]?.arrive(...datagrams);
  }

  /** Frames that have reached the socket that `side` has now. */
  framesAt(side: Side): number {
    return this.#sockets[side]?.frames ?? 0;
  }

  /** Whether `side` has read all that has reached it, and waits for more. */
  isRead(side: Side): boolean {
    return this.#sockets[side]?.isRead ?? true;
  }

  /** All datagrams from `side`, of one kind if given. */
  sent(side: Side, kind?: number): Bytes[] {
    return this.log.filter(({ from, bytes }) =>
      from === side && (kind === undefined || bytes[1] === kind)
    ).map(({ bytes }) => bytes);
  }
}

class MediumSocket implements DatagramSocket {
  readonly #send: (bytes: Bytes) => void;
  readonly #arrived: Bytes[] = [];
  #more = Promise.withResolvers<void>();
  #waiting = false;
  #closed = false;
  /** Frames that have arrived. */
  frames = 0;

  constructor(send: (bytes: Bytes) => void) {
    this.#send = send;
  }

  get isRead(): boolean {
    return this.#waiting && this.#arrived.length === 0;
  }

  arrive(...datagrams: readonly Bytes[]): void {
    this.#arrived.push(...datagrams);
    this.frames += datagrams.filter(([, kind]) => kind === KIND.frame).length;
    this.#more.resolve();
  }

  send(datagram: Bytes): Promise<void> {
    this.#send(datagram);
    return Promise.resolve();
  }

  async receive(into: Bytes): Promise<Bytes | undefined> {
    while (!this.#closed && this.#arrived.length === 0) {
      this.#waiting = true;
      await this.#more.promise;
      this.#waiting = false;
      this.#more = Promise.withResolvers();
    }
    if (this.#closed) return undefined;
    const datagram = this.#arrived.shift()!.subarray(0, into.length);
    into.set(datagram);
    return into.subarray(0, datagram.length);
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    this.#more.resolve();
  }
}
