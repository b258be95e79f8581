/** Names of Linux interfaces: what is none never reaches the kernel. */

import type { NicProblem } from "./kind.ts";

/** The most bytes of an interface's name: Linux's IFNAMSIZ (net/if.h) less its zero. */
const INTERFACE_NAME_BYTES_MAX = 15;

/** Reads the name of an interface that is there already. */
export function readInterface<Kind extends string>(
  kind: Kind,
  text: string,
): { readonly kind: Kind; readonly interfaceName: string } | NicProblem {
  const problem = interfaceNameProblem(text);
  return problem === undefined
    ? { kind, interfaceName: text }
    : { problem: `expected ${kind}:IFNAME; ${problem}` };
}

/**
 * Says what is wrong with the name of a new interface. It may be a pattern to the
 * kernel, which would choose another one; and the kernel makes none by the names
 * that stand for all interfaces in net.ipv4.conf.
 */
export function newNameProblem(name: string): string | undefined {
  if (name === "all" || name === "default") {
    return `Linux makes no interface named "${name}"`;
  }
  return name.includes("%")
    ? "the name of a new interface has no percent sign"
    : undefined;
}

/** Says what is wrong with a name by Linux's rules: `dev_valid_name()` in net/core/dev.c. */
export function interfaceNameProblem(name: string): string | undefined {
  if (name === "") return "the interface's name is missing";
  if (new TextEncoder().encode(name).length > INTERFACE_NAME_BYTES_MAX) {
    return `an interface's name has at most ${INTERFACE_NAME_BYTES_MAX} bytes`;
  }
  if (name === "." || name === "..") {
    return `no interface can be named "${name}"`;
  }
  if (/[\s/:\p{C}]/u.test(name)) {
    return "an interface's name has no spaces, slashes, colons or control characters";
  }
  return undefined;
}
