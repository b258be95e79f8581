/** What lies between two tunnel ends in tests: it keeps everything, and passes on what it is told to. */

import { type Bytes, KIND } from "../../../drivers/tunnel/datagram.ts";
import type { SocketAddress } from "../../../caps/driver/socket_address.ts";
import type {
  DatagramSocket,
  Received,
} from "../../../drivers/tunnel/socket.ts";

/** Which of the two sockets. */
export type Side = 0 | 1;

/** A datagram, as it was sent. */
export interface Recorded {
  readonly from: Side;
  readonly bytes: Bytes;
  readonly to: SocketAddress;
}

/** Where a side is at first. */
function addressOf(side: Side): SocketAddress {
  return { hostname: "192.0.2.1", port: 1000 + side };
}

/** Datagrams from one side to the other, and from anybody else to either. */
export class Medium {
  /** All that was sent. */
  readonly log: Recorded[] = [];
  /** What becomes of a datagram: those that arrive in its place. */
  pass: (datagram: Bytes, from: Side) => readonly Bytes[] = (one) => [one];
  /** Where each side is seen: what goes elsewhere arrives nowhere. */
  readonly addresses: [SocketAddress, SocketAddress] = [
    addressOf(0),
    addressOf(1),
  ];
  readonly #sockets: (MediumSocket | undefined)[] = [undefined, undefined];

  /** A new socket of `side`, in place of the one before. */
  open(side: Side): DatagramSocket {
    const other = side === 0 ? 1 : 0;
    const socket = new MediumSocket(addressOf(other), (bytes, to) => {
      const datagram = bytes.slice();
      this.log.push({ from: side, bytes: datagram, to });
      if (to.port !== this.addresses[other].port) return;
      const passed = this.pass(datagram, side);
      this.#sockets[other]?.arrive(this.addresses[side], ...passed);
    });
    this.#sockets[side] = socket;
    return socket;
  }

  /** Has `datagrams` arrive at `side`, as if the peer had sent them. */
  inject(side: Side, ...datagrams: readonly Bytes[]): void {
    const from = this.addresses[side === 0 ? 1 : 0];
    this.#sockets[side]?.arrive(from, ...datagrams);
  }

  /** Has them arrive from `from`. */
  injectFrom(
    from: SocketAddress,
    side: Side,
    ...datagrams: readonly Bytes[]
  ): void {
    this.#sockets[side]?.arrive(from, ...datagrams);
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
  readonly peer: SocketAddress;
  readonly #send: (bytes: Bytes, to: SocketAddress) => void;
  readonly #arrived: Received[] = [];
  #more = Promise.withResolvers<void>();
  #waiting = false;
  #closed = false;
  /** Frames that have arrived. */
  frames = 0;

  constructor(
    peer: SocketAddress,
    send: (bytes: Bytes, to: SocketAddress) => void,
  ) {
    this.peer = peer;
    this.#send = send;
  }

  get isRead(): boolean {
    return this.#waiting && this.#arrived.length === 0;
  }

  arrive(from: SocketAddress, ...datagrams: readonly Bytes[]): void {
    this.#arrived.push(...datagrams.map((bytes) => ({ bytes, from })));
    this.frames += datagrams.filter(([, kind]) => kind === KIND.frame).length;
    this.#more.resolve();
  }

  send(datagram: Bytes, to: SocketAddress = this.peer): Promise<void> {
    this.#send(datagram, to);
    return Promise.resolve();
  }

  async receive(into: Bytes): Promise<Received | undefined> {
    while (!this.#closed && this.#arrived.length === 0) {
      this.#waiting = true;
      await this.#more.promise;
      this.#waiting = false;
      this.#more = Promise.withResolvers();
    }
    if (this.#closed) return undefined;
    const { bytes, from } = this.#arrived.shift()!;
    const datagram = bytes.subarray(0, into.length);
    into.set(datagram);
    return { bytes: into.subarray(0, datagram.length), from };
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    this.#more.resolve();
  }
}
