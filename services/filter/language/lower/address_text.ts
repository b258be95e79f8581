/** Addresses as they are written, to numbers. */

/** An IPv4 address of one to four groups, at the top of 32 bits. */
export interface Ip4Prefix {
  /** The groups, at the top. */
  readonly address: number;
  /** How many bits were written: 8 a group. */
  readonly bits: number;
}

/** `10.1` is 10.1.0.0 of 16 bits. Undefined when it is no address. */
export function readIp4(text: string): Ip4Prefix | undefined {
  let address = 0;
  let bits = 0;
  for (const group of text.split(".")) {
    if (!/^0*[0-9]{1,3}$/.test(group) || Number(group) > 255) return undefined;
    address = address * 256 + Number(group);
    bits += 8;
  }
  return { address: address * 2 ** (32 - bits), bits };
}

/** Four words of an IPv6 address (RFC 4291, section 2.2), or undefined. */
export function readIp6(text: string): number[] | undefined {
  const [before, after] = text.split("::");
  const head = readGroups(before ?? "");
  const tail = readGroups(after ?? "");
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  const groups = after === undefined
    ? head
    : [...head, ...new Array<number>(missing).fill(0), ...tail];
  return [0, 2, 4, 6].map((i) => groups[i]! * 0x1_0000 + groups[i + 1]!);
}

function readGroups(text: string): number[] | undefined {
  const groups: number[] = [];
  if (text === "") return groups;
  for (const group of text.split(":")) {
    if (!group.includes(".")) {
      groups.push(parseInt(group, 16));
      continue;
    }
    const octets = group.split(".");
    const plain = octets.every((octet) => /^(0|[1-9][0-9]{0,2})$/.test(octet));
    const v4 = plain ? readIp4(group) : undefined;
    if (v4 === undefined) return undefined;
    groups.push(v4.address >>> 16, v4.address & 0xffff);
  }
  return groups;
}

/** Six bytes of a MAC address in any of its spellings. */
export function readMac(text: string): number[] {
  const groups = text.split(/[:.-]/);
  const digits = groups.length === 6
    ? groups.map((group) => group.padStart(2, "0")).join("")
    : groups.join("");
  return [0, 2, 4, 6, 8, 10].map((i) => parseInt(digits.slice(i, i + 2), 16));
}

/** `AREA.NODE` of DECnet in 16 bits, or undefined. */
export function readDecnet(text: string): number | undefined {
  const parts = /^([0-9]+)\.([0-9]+)/.exec(text);
  if (parts === null) return undefined;
  return ((Number(parts[1]) << 10) & 0xfc00) | (Number(parts[2]) & 0x3ff);
}
