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
} from "../filter/grant/grant.ts";
import { checkGrant } from "../filter/grant/check.ts";
import { grant } from "../filter/grant/text/grant_text.ts";
import { ETHERTYPE } from "../wire/numbers.ts";

/** The frames of one service, as a manifest's texts say them. */
export interface EnvelopeTexts {
  /** What it may receive. */
  readonly receives: string;
  /** What it may send; {@link answersTo} what it receives unless said. */
  readonly sends?: string;
}

type Self = Pick<ServiceSettings, "address" | "mac">;

/** What the service may send. @throws {GrantError} when nothing was said, and no answer can be. */
export function mayBeSent(texts: EnvelopeTexts, self: Self): Grant {
  return texts.sends === undefined
    ? answersTo(grant(texts.receives), self)
    : grant(texts.sends);
}

/**
 * The answers to what `received` takes: source and destination change places,
 * and the source is this host, by its Ethernet address and its IPv4 address.
 *
 * @throws {GrantError} when there is none, as for IPv6: the host has no such address.
 */
export function answersTo(received: Grant, self: Self): Grant {
  const answers = received.flatMap((one) => answersToOne(one, self));
  if (answers.length === 0) {
    throw new GrantError(
      'no answer to that comes from this host\'s IPv4 address; say what the service sends ("sends" in a manifest)',
    );
  }
  return checkGrant(answers);
}

function answersToOne(
  { etherSrc, vlan, payload }: Conjunction,
  { address, mac }: Self,
): Conjunction[] {
  const ours: Prefix = {
    address: [24, 16, 8, 0].map((shift) => (address >>> shift) & 0xff),
    length: 32,
  };
  const frame = {
    etherSrc: exactly(mac),
    ...given({ etherDst: etherSrc, vlan }),
  };
  return answeringPayloads(payload, ours).map((payload) => ({
    ...frame,
    payload,
  }));
}

function exactly(mac: Uint8Array): MacPattern {
  return { address: [...mac], mask: [255, 255, 255, 255, 255, 255] };
}

function answeringPayloads(
  payload: Conjunction["payload"],
  ours: Prefix,
): NonNullable<Conjunction["payload"]>[] {
  const anyArp: ArpPayload = { kind: "arp", sender: ours };
  const anyIpv4: IpPayload = { kind: "ipv4", src: ours, fragment: "any" };
  // Whatever it may carry, it carries no address but ours.
  if (payload === undefined) return [anyArp, anyIpv4];
  switch (payload.kind) {
    case "type":
      if (payload.etherType === ETHERTYPE.arp) return [anyArp];
      if (payload.etherType === ETHERTYPE.ipv4) return [anyIpv4];
      return payload.etherType === ETHERTYPE.ipv6 ? [] : [payload];
    case "arp": {
      const target = payload.sender;
      return [{ ...anyArp, ...given({ target }) }];
    }
    case "ipv4":
      return [answeringIpv4(payload, ours)];
    case "ipv6":
      return [];
  }
}

function answeringIpv4(asked: IpPayload, ours: Prefix): IpPayload {
  const { fragment, protocol, src, srcPort, dstPort } = asked;
  return {
    kind: "ipv4",
    src: ours,
    fragment,
    ...given({ dst: src, protocol, srcPort: dstPort, dstPort: srcPort }),
  };
}
