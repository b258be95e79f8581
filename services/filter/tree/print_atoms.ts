/** Grants as the atoms that they become, for people. */

import type { Atom, Field, Filter, HeaderAtom } from "./atom.ts";

/**
 * Filters, any of which is to match, an atom a line:
 *
 * ```
 * filter 1
 *   frame[12:2] = 0x0800
 *   ipv4 header at base + 14: whole, protocol 17
 *   base[2:2] = 0x0035
 * ```
 */
export function printAtoms(filters: readonly Filter[]): string {
  return filters.map((filter, index) => {
    const atoms = filter.length === 0 ? ["every frame"] : filter.map(atomText);
    return [`filter ${index + 1}`, ...atoms.map((atom) => `  ${atom}`)]
      .join("\n") + "\n";
  }).join("");
}

/** One comparison. */
function atomText(atom: Atom): string {
  switch (atom.op) {
    case "match":
      return `${fieldText(atom)} = ${valueText(atom.value, atom)}`;
    case "range":
      return `${fieldText(atom)} in ${rangeText(atom)}`;
    default:
      return headerText(atom);
  }
}

/** Where a load is: offset and width, and the mask where it has one. */
export function fieldText({ from, offset, width, mask }: Field): string {
  const place = `${from}[${offset}:${width}]`;
  const whole = 2 ** (8 * width) - 1;
  return mask === whole ? place : `${place} & ${hex(mask, width)}`;
}

/** A value that a field may have, in hexadecimal. */
export function valueText(value: number, { width }: Field): string {
  return hex(value, width);
}

/** Inclusive bounds. */
export function rangeText(
  { low, high }: { readonly low: number; readonly high: number },
): string {
  return `${low}-${high}`;
}

/** A header that the base moves past. */
export function headerText(atom: HeaderAtom): string {
  const { op, offset, fragment, protocol } = atom;
  const which =
    { whole: "whole", fragment: "a fragment", any: "any" }[fragment];
  const what = protocol === undefined ? "" : `, protocol ${protocol}`;
  return `${op} header at base + ${offset}: ${which}${what}`;
}

function hex(value: number, width: number): string {
  return `0x${value.toString(16).padStart(2 * width, "0")}`;
}
