/** A tunnel as a NIC, as a person names it: `udp:10.0.0.1:4789,10.0.0.2:4789,key=FILE`. */

import {
  formatSocketAddress,
  isIpv6,
  type SocketAddress,
} from "../../../caps/driver/socket_address.ts";
import type { NicKind, NicProblem } from "./kind.ts";
import { isNobody, readSocketAddress } from "./socket_address.ts";

/** Ethernet in UDP datagrams between this host and one other. */
export interface UdpChoice {
  /** Which kind of NIC it is. */
  readonly kind: "udp";
  /** Where the tunnel's own datagrams come in. */
  readonly local: SocketAddress;
  /** Where they go. */
  readonly peer: SocketAddress;
  /** The path of the file with the key that both ends have. */
  readonly key: string;
}

const FORM = "udp:LOCAL,PEER,key=FILE";

/** What the driver is opened with. */
interface UdpOptions {
  readonly mac: Uint8Array;
  readonly local: SocketAddress;
  readonly peer: SocketAddress;
  readonly key: string;
}

/** A tunnel, which may use the network between its two addresses alone. */
export const udp: NicKind<UdpChoice, UdpOptions> = {
  kind: "udp",
  form: FORM,
  help: [
    "Ethernet in UDP to one other host, without root; encrypted with",
    "the key in FILE, 32 random bytes that these two have alone:",
    "(umask 077; head -c 32 /dev/urandom > link.key)",
    "sallyport up --nic udp:10.0.0.1:4789,10.0.0.2:4789,key=link.key",
  ],
  read: readUdp,
  format: ({ local, peer, key }) =>
    `${formatSocketAddress(local)},${formatSocketAddress(peer)},key=${key}`,
  permissions: ({ local, peer, key }) => ({
    net: [formatSocketAddress(local), formatSocketAddress(peer)],
    read: [key],
  }),
  options: ({ local, peer, key }, { mac }) => ({ mac, local, peer, key }),
  reads: ({ key }) => ({ path: key, what: "the tunnel's key" }),
};

function readUdp(text: string): UdpChoice | NicProblem {
  const split = /^([^,]*),([^,]*)(?:,(.*))?$/s.exec(text);
  const wrong = (problem: string) => ({
    problem: `expected ${FORM}; ${problem}`,
  });
  if (split === null) return wrong("give this host's address and the peer's");
  const [, localText = "", peerText = "", option] = split;
  const local = readSocketAddress(localText);
  if ("problem" in local) return wrong(`LOCAL: ${local.problem}`);
  const peer = readSocketAddress(peerText);
  if ("problem" in peer) return wrong(`PEER: ${peer.problem}`);
  const problem = whyNot(local, peer);
  if (problem !== undefined) return wrong(problem);
  // The last one: all the rest is the path, commas too.
  const key = /^key=([^\0]+)$/s.exec(option ?? "")?.[1];
  return key === undefined
    ? wrong("without a key anybody could send: name the file with it")
    : { kind: "udp", local, peer, key };
}

function whyNot(local: SocketAddress, peer: SocketAddress): string | undefined {
  if (isIpv6(local.hostname) !== isIpv6(peer.hostname)) {
    return "LOCAL and PEER are not of one IP version";
  }
  if (isNobody(peer.hostname)) return `PEER: ${peer.hostname} is no host's`;
  return local.hostname === peer.hostname && local.port === peer.port
    ? "LOCAL and PEER are the same"
    : undefined;
}
