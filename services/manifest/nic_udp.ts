/** A tunnel as a NIC, as a person names it: `udp:10.0.0.1:4789,10.0.0.2:4789,key=FILE`. */

import {
  formatSocketAddress,
  isIpv6,
  isNobody,
  readSocketAddress,
  type SocketAddress,
} from "./socket_address.ts";

/** Ethernet in UDP datagrams between this host and one other. */
export interface UdpChoice {
  /** Which kind of NIC it is. */
  readonly kind: "udp";
  /** Where its own datagrams come in. */
  readonly local: SocketAddress;
  /** Where they go. */
  readonly peer: SocketAddress;
  /** The path of the file with the key that both ends have. */
  readonly key: string;
}

/** How it is written. */
export const UDP_FORM = "udp:LOCAL,PEER,key=FILE";

/** Reads what follows `udp:`. */
export function readUdp(
  text: string,
): UdpChoice | { readonly problem: string } {
  const split = /^([^,]*),([^,]*)(?:,(.*))?$/s.exec(text);
  const wrong = (problem: string) => ({
    problem: `expected ${UDP_FORM}; ${problem}`,
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

/** The text that stands for it. */
export function formatUdp({ local, peer, key }: UdpChoice): string {
  const [from, to] = [formatSocketAddress(local), formatSocketAddress(peer)];
  return `udp:${from},${to},key=${key}`;
}
