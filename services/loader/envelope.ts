/**
 * What a third party's service may have at most, as the manifest says it. The
 * service itself is not asked: it can only narrow this.
 */

import { given } from "../../caps/kernel/given.ts";
import type { ServiceSettings } from "../core/definition.ts";
import {
  type ArpPayload,
  type Conjunction,
  type Grant,
  GrantError,
  type IpPayload,
  type MacPattern,
  type Prefix,
  type TypePayload,
} from "../filter/grant/grant.ts";
import { checkGrant } from "../filter/grant/check.ts";
import { grant } from "../filter/grant/text/grant_text.ts";
import {
  addressBits,
  ipAddressBytes,
  type IpPrefix,
  ipv4Address,
} from "../wire/ip_address.ts";
import { ETHERTYPE } from "../wire/numbers.ts";

/** The frames of one service, as a manifest's texts say them. */
export interface EnvelopeTexts {
  /** What it may receive. */
  readonly receives: string;
  /** What it may send; {@link answersTo} what it receives unless said. */
  readonly sends?: string;
}

type Self = Pick<ServiceSettings, "address" | "addresses" | "mac">;

/** What the service may send. @throws {GrantError} when nothing was said, and no answer can be. */
export function mayBeSent(texts: EnvelopeTexts, self: Self): Grant {
  return texts.sends === undefined
    ? answersTo(grant(texts.receives), self)
    : grant(texts.sends);
}

/**
 * The answers to what `received` takes: source and destination change places,
 * and the source is this host, by its Ethernet address and one of its IP addresses.
 *
 * @throws {GrantError} when there is none, as for IPv6 on a host without such an address.
 */
export function answersTo(received: Grant, self: Self): Grant {
  const answers = received.flatMap((one) => answersToOne(one, self));
  if (answers.length === 0) {
    throw new GrantError(
      'no answer to that comes from an address of this host\'s; say what the service sends ("sends" in a manifest)',
    );
  }
  return checkGrant(answers);
}

function answersToOne(
  { etherSrc, vlan, payload }: Conjunction,
  { address, addresses = [ownPrefix(address)], mac }: Self,
): Conjunction[] {
  const frame = {
    etherSrc: exactly(mac),
    ...given({ etherDst: etherSrc, vlan }),
  };
  return addresses.flatMap(({ address }) =>
    answeringPayloads(payload, address.version, {
      address: [...ipAddressBytes(address)],
      length: addressBits(address.version),
    })
  ).map((payload) => ({ ...frame, payload }));
}

function ownPrefix(address: number): IpPrefix {
  return { address: ipv4Address(address), prefixBits: 32 };
}

function exactly(mac: Uint8Array): MacPattern {
  return { address: [...mac], mask: [255, 255, 255, 255, 255, 255] };
}

/** What answers to `payload` carry, that come from `ours`, an address of this version. */
function answeringPayloads(
  payload: Conjunction["payload"],
  version: 4 | 6,
  ours: Prefix,
): NonNullable<Conjunction["payload"]>[] {
  const anyArp: ArpPayload = { kind: "arp", sender: ours };
  const kind = version === 4 ? "ipv4" : "ipv6";
  const anyIp: IpPayload = { kind, src: ours, fragment: "any" };
  // Whatever it may carry, it carries no address but ours.
  if (payload === undefined) return version === 4 ? [anyArp, anyIp] : [anyIp];
  switch (payload.kind) {
    case "type":
      return answeringType(payload, version, anyArp, anyIp);
    case "arp": {
      const target = payload.sender;
      return version === 4 ? [{ ...anyArp, ...given({ target }) }] : [];
    }
    default:
      return payload.kind === kind ? [answeringIp(payload, ours)] : [];
  }
}

function answeringType(
  payload: TypePayload,
  version: 4 | 6,
  anyArp: ArpPayload,
  anyIp: IpPayload,
): NonNullable<Conjunction["payload"]>[] {
  switch (payload.etherType) {
    case ETHERTYPE.arp:
      return version === 4 ? [anyArp] : [];
    case ETHERTYPE.ipv4:
      return version === 4 ? [anyIp] : [];
    case ETHERTYPE.ipv6:
      return version === 6 ? [anyIp] : [];
    default:
      return version === 4 ? [payload] : [];
  }
}

function answeringIp(asked: IpPayload, ours: Prefix): IpPayload {
  const { kind, fragment, protocol, src, srcPort, dstPort } = asked;
  return {
    kind,
    src: ours,
    fragment,
    ...given({ dst: src, protocol, srcPort: dstPort, dstPort: srcPort }),
  };
}
