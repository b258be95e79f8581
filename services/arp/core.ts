/** Answers ARP requests for a host's IPv4 addresses (RFC 826; probes: RFC 5227). */

import type { Core, DropReason, Frame, Verdict } from "../core/core.ts";
import { Responder } from "../core/responder.ts";
import { type OwnAddresses, ownIpv4 } from "../ip/own_addresses.ts";
import {
  ARP_BYTES,
  ARP_REPLY,
  ARP_REQUEST,
  ARP_SENDER_MAC,
  ARP_TARGET_MAC,
  arpOperation,
  arpSenderAddress,
  arpTargetAddress,
  checkArp,
  setArpOperation,
  setArpSenderAddress,
  setArpTargetAddress,
} from "../wire/arp.ts";
import { getU16 } from "../wire/big_endian.ts";
import {
  copyMac,
  etherTypeOffset,
  isGroupMac,
  isZeroMac,
  MAC_BYTES,
  setMac,
} from "../wire/ethernet.ts";
import { isHostAddress } from "../wire/ipv4.ts";
import { ETHERTYPE } from "../wire/numbers.ts";

/** Whose addresses are answered for. */
export interface ArpOptions extends OwnAddresses {
  /** The hardware address to tell: six bytes. */
  readonly mac: Uint8Array;
}

/** A core that answers requests for the addresses of `options` in place. */
export function makeArp(options: ArpOptions): Core {
  return new ArpCore(options);
}

class ArpCore extends Responder {
  readonly #mac: Uint8Array;
  readonly #addresses: readonly number[];

  constructor(options: ArpOptions) {
    super();
    this.#mac = Uint8Array.from(options.mac);
    this.#addresses = ownIpv4(options).map(({ address }) => address);
  }

  receive(frame: Frame): Verdict {
    const { bytes, start } = frame;
    const end = start + frame.length;
    const typeAt = etherTypeOffset(bytes, start, end);
    if (typeAt < 0) return "drop:truncated";
    if (getU16(bytes, typeAt) !== ETHERTYPE.arp) {
      return "drop:not-arp";
    }
    const at = typeAt + 2;
    const problem = checkArp(bytes, at, end);
    if (problem !== undefined) return `drop:${problem}`;
    const refusal = this.#refusal(bytes, at);
    if (refusal !== undefined) return refusal;
    if (arpOperation(bytes, at) === ARP_REPLY) {
      this.tally.add("reply-seen");
      return "handled";
    }
    this.#answer(bytes, start, at);
    frame.length = at + ARP_BYTES - start;
    this.tally.add("answered");
    return "reply";
  }

  /** Why the packet at `at` is not for us; undefined when it is. */
  #refusal(bytes: Uint8Array, at: number): DropReason | undefined {
    const operation = arpOperation(bytes, at);
    if (operation !== ARP_REQUEST && operation !== ARP_REPLY) {
      return "drop:operation";
    }
    const sender = at + ARP_SENDER_MAC;
    if (isGroupMac(bytes, sender) || isZeroMac(bytes, sender)) {
      return "drop:source";
    }
    const senderAddress = arpSenderAddress(bytes, at);
    if (this.#addresses.includes(senderAddress)) return "drop:conflict";
    // A probe asks from 0.0.0.0 whether an address is free: it is answered.
    if (senderAddress !== 0 && !isHostAddress(senderAddress)) {
      return "drop:source";
    }
    return this.#addresses.includes(arpTargetAddress(bytes, at))
      ? undefined
      : "drop:not-mine";
  }

  /** Turns the request at `at` into the reply to it. */
  #answer(bytes: Uint8Array, start: number, at: number): void {
    const asker = at + ARP_SENDER_MAC;
    copyMac(bytes, asker, start);
    setMac(bytes, start + MAC_BYTES, this.#mac);
    setArpOperation(bytes, at, ARP_REPLY);
    copyMac(bytes, asker, at + ARP_TARGET_MAC);
    const asked = arpTargetAddress(bytes, at);
    setArpTargetAddress(bytes, at, arpSenderAddress(bytes, at));
    setMac(bytes, asker, this.#mac);
    setArpSenderAddress(bytes, at, asked);
  }
}
