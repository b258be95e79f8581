/** All of the wire formats: views and representations, header by header. */

export * from "./address.ts";
export * from "./arp.ts";
export * from "./big_endian.ts";
export * from "./checksum.ts";
export * from "./ethernet.ts";
export * from "./icmp.ts";
export * from "./ip_address.ts";
export * from "./ipv4.ts";
export { ETHERTYPE } from "./numbers.ts";
export * from "./udp.ts";
