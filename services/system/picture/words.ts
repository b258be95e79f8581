/** The words that both forms of a picture share. */

import type { Place } from "../../runtime/thread.ts";
import type { WiredCapability, WiredChannel, WiredPart } from "./wiring.ts";

/** Where a part runs and what it may do there: `worker, no permissions, limited heap`. */
function placeWords(place: Place): string {
  if (place.kind === "here") return "the program's own thread";
  if (place.kind === "driver") return "the driver's own thread";
  if (place.kind === "process") return "process, no permissions";
  const permissions = place.permissions === "none"
    ? []
    : Object.entries(place.permissions).flatMap(([name, value]) => {
      if (value === false) return [];
      if (value === true) return [name];
      return value === "inherit"
        ? [`${name} as the program had it`]
        : [`${name} of ${value.join(" and ")}`];
    });
  return [
    "worker",
    ...(permissions.length === 0 ? ["no permissions"] : permissions),
    ...(place.limited ? ["limited heap"] : []),
  ].join(", ");
}

/** A part's state and place. */
export function partWords({ state, place }: WiredPart): string[] {
  return [
    ...(state === undefined ? [] : [state]),
    ...(place === undefined ? [] : [placeWords(place)]),
  ];
}

/** `data, port 3`, or `port resolver` between services. */
export function channelWords({ what, port, name }: WiredChannel): string {
  if (name !== undefined) return `${what} ${name}`;
  return port === undefined ? what : `${what}, port ${port}`;
}

/** `#3`, or `root`. */
export function slotWords({ slot, parent }: WiredCapability): string {
  return parent === undefined ? "root" : `#${slot}`;
}

/** What a capability allows, and how many pages: `receive, send; 64 pages`. */
export function allowanceWords(
  { rights, quotaPages }: WiredCapability,
): string {
  const words = rights.join(", ");
  return quotaPages === undefined ? words : `${words}; ${quotaPages} pages`;
}

/** Replaces what a terminal would act on: names come from manifests and command lines. */
export function printable(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, "?");
}
