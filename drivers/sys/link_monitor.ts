/**
 * Whether an interface is still there and up, and what of it has changed, without
 * asking again and again: a netlink socket becomes readable when any interface of
 * the namespace changes. A number of queues changes without that.
 * Source: rtnetlink(7), include/uapi/linux/rtnetlink.h.
 */

import {
  AF_NETLINK,
  IFF_UP,
  MSG_DONTWAIT,
  NETLINK_ROUTE,
  RTMGRP_LINK,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_RAW,
  SOCKADDR_NL_BYTES,
} from "./abi.ts";
import { enterDescriptor } from "./resource_list.ts";
import { check, closeDescriptor, libc } from "./libc.ts";
import {
  type InterfaceState,
  type NetworkInterface,
  stateOfInterface,
} from "./network_interface.ts";

const MESSAGE_BYTES = 16384;

/** Watches one interface. */
export class LinkMonitor implements Disposable {
  /** To poll for input; then call {@link look}. */
  readonly descriptor: number;
  readonly #index: number;
  #state: InterfaceState;
  readonly #message = new Uint8Array(MESSAGE_BYTES);
  #gone = false;
  #down = false;
  #downs = 0;

  /**
   * Watches an interface, which was `face` when it was opened.
   * @throws {SystemError} when the kernel refuses.
   */
  constructor(face: NetworkInterface) {
    this.#index = face.index;
    this.#state = face;
    const where = "socket(AF_NETLINK)";
    const what = "cannot watch interfaces";
    using owned = new DisposableStack();
    this.descriptor = check(
      enterDescriptor(
        libc().socket(
          AF_NETLINK,
          SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
          NETLINK_ROUTE,
        ),
      ),
      { where, what },
    );
    owned.adopt(this.descriptor, closeDescriptor);
    const address = new DataView(new ArrayBuffer(SOCKADDR_NL_BYTES));
    address.setUint16(0, AF_NETLINK, true);
    address.setUint32(8, RTMGRP_LINK, true);
    check(
      libc().bind(this.descriptor, address.buffer, SOCKADDR_NL_BYTES),
      { where, what },
    );
    // What changed before there was somebody to be told.
    this.#ask();
    owned.move();
  }

  /** Whether the interface was gone when {@link look} last looked. It never comes back: another one of its name is another one. */
  get gone(): boolean {
    return this.#gone;
  }

  /** The interface as {@link look} last saw it. */
  get state(): InterfaceState {
    return this.#state;
  }

  /** How often it was set down, as far as {@link look} saw: nothing comes then until it is up. */
  get downs(): number {
    return this.#downs;
  }

  /** Takes what came, and asks whether the interface is still there, and what it is like. */
  look(): void {
    // What a message says is not needed: that there was one is. An overflow
    // (ENOBUFS) ends the loop, too, and asking is right then as well.
    const size = BigInt(MESSAGE_BYTES);
    while (
      libc().recv(this.descriptor, this.#message, size, MSG_DONTWAIT) > 0
    );
    this.#ask();
  }

  #ask(): void {
    const state = stateOfInterface(this.#index);
    this.#gone ||= state === undefined;
    if (state !== undefined) this.#state = state;
    const down = state !== undefined && (state.flags & IFF_UP) === 0;
    if (down && !this.#down) this.#downs++;
    this.#down = down;
  }

  /** Closes it. */
  [Symbol.dispose](): void {
    closeDescriptor(this.descriptor);
  }
}
