/** Where datagrams come from and go to. */

/** A socket's IP address and UDP port, as numbers: no name is looked up. */
export interface SocketAddress {
  /** An IP address, as RFC 5952 writes it. */
  readonly hostname: string;
  /** 1 to 65535. */
  readonly port: number;
}

/** Writes `10.0.0.2:4789` or `[2001:db8::2]:4789`. */
export function formatSocketAddress({ hostname, port }: SocketAddress): string {
  return isIpv6(hostname) ? `[${hostname}]:${port}` : `${hostname}:${port}`;
}

/** Whether it is an IPv6 address. */
export function isIpv6(hostname: string): boolean {
  return hostname.includes(":");
}
