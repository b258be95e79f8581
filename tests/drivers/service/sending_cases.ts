/** Frames that are not what they look like, each with whether its sender's grant names it. */

import {
  either,
  ethernet,
  ipv4,
} from "../../../services/filter/grant/builder.ts";
import type { Grant } from "../../../services/filter/grant/grant.ts";
import {
  buildArp,
  buildIpv4,
  type FrameBytes,
} from "../../arbitraries/frames.ts";

/** Who the holder is. */
export const OWN = {
  mac: "02:53:0a:4d:00:02",
  address: "10.77.0.2",
  address6: "2001:db8::2",
  port: 7,
} as const;

const MAC = [2, 0x53, 0x0a, 0x4d, 0, 2];
const ADDRESS = 0x0a4d0002;
const ADDRESS6 = [0x20, 1, 0x0d, 0xb8, ...zeros(11), 2];

const own = ethernet().src(OWN.mac);
const datagrams = own.ipv4().src(OWN.address).udp().srcPort(OWN.port);

/** A grant, and what is tried under it. */
export interface SendingCase {
  readonly sends: Grant;
  /** By what they are. */
  readonly permitted: Readonly<Record<string, FrameBytes>>;
  readonly refused: Readonly<Record<string, FrameBytes>>;
}

interface Made {
  readonly mac?: readonly number[];
  readonly address?: number;
  readonly port?: number;
  /** VLAN tags, outermost first. */
  readonly vlans?: readonly number[];
  readonly options?: readonly number[];
  readonly moreFragments?: boolean;
  readonly fragmentOffset?: number;
}

/** A UDP datagram from who the holder is, but for what is said otherwise. */
export function datagram(made: Made = {}): FrameBytes {
  const { vlans = [], port = OWN.port } = made;
  return buildIpv4({
    destination: Uint8Array.of(2, 0, 0, 0, 0, 1),
    source: Uint8Array.from(made.mac ?? MAC),
    tags: vlans.map((identifier) => ({
      protocol: 0x8100,
      priority: 5,
      dropEligible: false,
      identifier,
    })),
    etherType: 0x0800,
  }, {
    dscp: 0,
    ecn: 0,
    identification: 1,
    dontFragment: false,
    moreFragments: made.moreFragments ?? false,
    fragmentOffset: made.fragmentOffset ?? 0,
    ttl: 64,
    protocol: 17,
    source: made.address ?? ADDRESS,
    destination: 0x0a4d0001,
    options: Uint8Array.from(made.options ?? []),
    payloadBytes: 0,
  }, Uint8Array.of(port >>> 8, port & 255, 0, 9, 0, 12, 0, 0, 1, 2, 3, 4));
}

/** A UDP datagram over IPv6, behind extension headers: each its type, then its bytes but the first. */
function datagram6(
  headers: readonly (readonly number[])[] = [],
  port: number = OWN.port,
  address: readonly number[] = ADDRESS6,
): FrameBytes {
  const types = [...headers.map(([type]) => type!), 17];
  const chain = headers.flatMap(([, ...bytes], i) => [types[i + 1]!, ...bytes]);
  const udp = [port >>> 8, port & 255, 0, 9, 0, 8, 0, 0];
  return Uint8Array.from([
    ...[2, 0, 0, 0, 0, 1, ...MAC, 0x86, 0xdd],
    ...[0x60, 0, 0, 0, 0, chain.length + udp.length, types[0]!, 64],
    ...[...address, ...ADDRESS6.with(-1, 1), ...chain, ...udp],
  ]);
}

/** A frame with its first type, or what is there instead of one, changed. */
function ofType(type: number, frame = datagram()): FrameBytes {
  const changed = frame.slice();
  changed.set([type >>> 8, type & 255], 12);
  return changed;
}

/** An 802.3 frame whose LLC and SNAP headers announce IPv4 (RFC 1042). */
function snap(frame: FrameBytes): FrameBytes {
  const llc = [0, frame.length - 14 + 8, 0xaa, 0xaa, 3, 0, 0, 0];
  return Uint8Array.from([...frame.slice(0, 12), ...llc, ...frame.slice(12)]);
}

/** An ARP answer. */
function answer(sender: number, source: readonly number[] = MAC): FrameBytes {
  return buildArp({
    destination: Uint8Array.of(2, 0, 0, 0, 0, 1),
    source: Uint8Array.from(source),
    tags: [],
    etherType: 0x0806,
  }, {
    operation: 2,
    senderMac: Uint8Array.from(MAC),
    senderAddress: sender,
    targetMac: Uint8Array.of(2, 0, 0, 0, 0, 1),
    targetAddress: 0x0a4d0001,
  });
}

const OTHER = MAC.with(5, 3);
const whole = datagram();
const headerOf = (type: number, length = 0) => [
  type,
  length,
  ...zeros(6 + 8 * length),
];

/** All cases, by name. */
export const CASES: Readonly<Record<string, SendingCase>> = {
  "from one Ethernet address, IPv4 address and port": {
    sends: datagrams.grant,
    permitted: {
      "its own": whole,
      "with options in front of the port": datagram({ options: [1, 1, 1, 0] }),
      "cut behind the ports": whole.slice(0, 38),
    },
    refused: {
      "another's Ethernet address": datagram({ mac: OTHER }),
      "another's IP address": datagram({ address: ADDRESS + 1 }),
      "another's port": datagram({ port: 9 }),
      "port 7 where options are, another's behind them": datagram({
        options: [0, OWN.port, 0, 0],
        port: 9,
      }),
      "within a VLAN": datagram({ vlans: [7] }),
      "within a provider's VLAN": ofType(0x88a8, datagram({ vlans: [7] })),
      "behind a tag of an old type": ofType(0x9100, datagram({ vlans: [7] })),
      "as 802.3 with a SNAP header": snap(whole),
      "a first fragment": datagram({ moreFragments: true }),
      "a later fragment that looks like a datagram": datagram({
        fragmentOffset: 1,
      }),
      "a fragment in the middle": datagram({
        moreFragments: true,
        fragmentOffset: 185,
      }),
      "cut in the port": whole.slice(0, 35),
      "cut before the port": whole.slice(0, 34),
      "cut in the IP header": whole.slice(0, 33),
      "an Ethernet header alone": whole.slice(0, 14),
    },
  },
  "in one VLAN": {
    sends: own.vlan(7).ipv4().src(OWN.address).udp().srcPort(OWN.port).grant,
    permitted: {
      "its own": datagram({ vlans: [7] }),
      "with the provider's type": ofType(0x88a8, datagram({ vlans: [7] })),
    },
    refused: {
      "another VLAN": datagram({ vlans: [8] }),
      "no VLAN, only a priority": datagram({ vlans: [0] }),
      "without a tag": whole,
      "another VLAN inside its own": datagram({ vlans: [7, 8] }),
      "its own inside another": datagram({ vlans: [8, 7] }),
      "cut in the tag": datagram({ vlans: [7] }).slice(0, 15),
    },
  },
  "fragments only": {
    sends: own.ipv4().src(OWN.address).fragments().protocol(17).grant,
    permitted: {
      "a first one": datagram({ moreFragments: true }),
      "a later one": datagram({ fragmentOffset: 1 }),
    },
    refused: {
      "a whole datagram": whole,
      "another's address": datagram({
        address: ADDRESS + 1,
        fragmentOffset: 1,
      }),
    },
  },
  "from one IPv6 address and port": {
    sends: own.ipv6().src(OWN.address6).udp().srcPort(OWN.port).grant,
    permitted: {
      "its own": datagram6(),
      "behind the most headers that are walked over": datagram6(
        Array(32).fill(headerOf(60)),
      ),
    },
    refused: {
      "another's address": datagram6([], OWN.port, ADDRESS6.with(-1, 3)),
      "another's port": datagram6([], 9),
      "port 7 where the first header is, another's behind it": datagram6(
        [headerOf(60, OWN.port), headerOf(0)],
        9,
      ),
      "behind more headers than are walked over": datagram6(
        Array(33).fill(headerOf(60)),
      ),
      "a first fragment": datagram6([[44, 0, 0, 1, 0, 0, 0, 1]]),
      "the only fragment": datagram6([[44, 0, 0, 0, 0, 0, 0, 1]]),
      "a later fragment": datagram6([[44, 0, 0, 8, 0, 0, 0, 1]]),
      "encrypted": datagram6([headerOf(50)]),
      "cut in an extension header": datagram6([headerOf(60, 3)]).slice(0, 80),
    },
  },
  "ARP answers for one address": {
    sends: own.arp().reply().sender(OWN.address).grant,
    permitted: { "its own": answer(ADDRESS) },
    refused: {
      "for another's address": answer(ADDRESS + 1),
      "from another's Ethernet address": answer(ADDRESS, OTHER),
      "a datagram": whole,
    },
  },
  "either of two kinds": {
    sends: either(datagrams, ipv4().icmp().type(0)),
    permitted: { "one of them": whole },
    refused: { "of neither": datagram({ port: 9 }) },
  },
};

function zeros(count: number): number[] {
  return new Array<number>(count).fill(0);
}
