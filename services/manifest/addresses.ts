/** The fields `address` of a manifest, one address or several, and `addresses` of a service. */

import { z } from "zod";
import { asked, readText } from "../fields/field.ts";
import { showValue } from "../fields/show_value.ts";
import {
  formatIpPrefix,
  type IpAddress,
  type IpPrefix,
  parseIpAddress,
  parseIpPrefix,
  sameIpAddress,
} from "../wire/ip_address.ts";
import {
  ADDRESSES_MAX,
  type AddressProblem,
  readSystemAddress,
} from "./interface_address.ts";

const EXPECTED =
  "expected an address with its prefix, such as 10.77.0.2/24, or a list of such";

/** Called with what is wrong, and where in the field. */
type Complain = (problem: string, path?: readonly number[]) => void;

/**
 * Reads one text or a list of them. A list is refused without an IPv4 address, by
 * which a system is known (its Ethernet address is made of the first), and with an
 * address that is there twice, whatever its prefix.
 */
export const addresses: z.ZodType<
  readonly IpPrefix[],
  string | readonly string[]
> = z.unknown().transform((written, context) => {
  let right = true;
  const complain: Complain = (problem, path = []) => {
    right = false;
    context.addIssue({ code: "custom", path: [...path], message: problem });
  };
  const read = Array.isArray(written)
    ? readList(written, complain)
    : readOne(written, complain);
  if (right && !read.some(({ address }) => address.version === 4)) {
    complain("expected an IPv4 address, or one among them, got IPv6 alone");
  }
  return right ? read : z.NEVER;
}) as unknown as z.ZodType<readonly IpPrefix[], string | readonly string[]>;

/** Writes one text where there is one address. */
export function formatAddresses(
  list: readonly IpPrefix[],
): string | readonly string[] {
  const texts = list.map(formatIpPrefix);
  return texts.length === 1 ? texts[0]! : texts;
}

function readList(written: readonly unknown[], complain: Complain): IpPrefix[] {
  if (written.length < 1 || written.length > ADDRESSES_MAX) {
    complain(`expected 1 to ${ADDRESSES_MAX} addresses, got ${written.length}`);
    return [];
  }
  const list: IpPrefix[] = [];
  written.forEach((one, i) => {
    const [prefix] = readOne(one, (problem) => complain(problem, [i]));
    if (prefix === undefined) return;
    const { address } = prefix;
    if (list.some((other) => sameIpAddress(other.address, address))) {
      complain(`expected each address once, got ${showValue(one)} again`, [i]);
    }
    list.push(prefix);
  });
  return list;
}

function readOne(written: unknown, complain: Complain): IpPrefix[] {
  if (typeof written !== "string") {
    complain(`${EXPECTED}, got ${showValue(written)}`);
    return [];
  }
  const prefix = readSystemAddress(written);
  if (!("problem" in prefix)) return [prefix];
  complain(`${prefix.problem}, got ${showValue(written)}`);
  return [];
}

const NAMED_EXPECTED =
  "an address of its system's, such as 10.77.0.2 or fd00::2";

/** An address of a system's, as its service names it. */
export interface NamedAddress {
  readonly address: IpAddress;
  /** Absent where none was written: the system's. */
  readonly prefixBits?: number;
}

/** A list whose length is judged before what is in it. */
const shortList = z.custom<readonly string[]>(
  (value) =>
    Array.isArray(value) && value.length >= 1 && value.length <= ADDRESSES_MAX,
  asked(`a list of 1 to ${ADDRESSES_MAX} of its system's addresses`),
);

/** Reads a list of addresses, with their prefixes or without. */
export const namedAddresses: z.ZodType<
  readonly NamedAddress[],
  readonly string[]
> = shortList.pipe(z.array(readText(NAMED_EXPECTED, readNamed)));

function readNamed(text: string): NamedAddress | AddressProblem {
  const read = text.includes("/") ? parseIpPrefix(text) : parseIpAddress(text);
  if (typeof read === "string") {
    return { problem: `expected ${NAMED_EXPECTED}; this ${read}` };
  }
  return "address" in read ? read : { address: read };
}
