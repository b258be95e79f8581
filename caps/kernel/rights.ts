/** What a capability lets its holder do, as bits of one number. */

/** Packets of its grant are its holder's. */
export const RIGHT_RECEIVE = 1;
/** The right to get copies of packets that others own. */
export const RIGHT_OBSERVE = 2;
/** The right to send frames that the sending grant matches. */
export const RIGHT_SEND = 4;
/** The right to derive narrower capabilities from it. */
export const RIGHT_DERIVE = 8;
/** The right to delegate narrower capabilities to others. */
export const RIGHT_DELEGATE = 16;
/** Every right: those of a NIC's root capability. */
export const RIGHTS_ALL = 31;

/** Some of the rights, or-ed together. */
export type Rights = number;

/**
 * Whether a capability with these rights is an observer's: it gets copies of
 * packets whoever owns them, and owns none.
 */
export function isObserver(rights: Rights): boolean {
  return (rights & (RIGHT_OBSERVE | RIGHT_RECEIVE)) === RIGHT_OBSERVE;
}

/** Whether `rights` has all of `wanted`. */
export function hasRights(rights: Rights, wanted: Rights): boolean {
  return (rights & wanted) === wanted;
}

/** True for a number that is some of the rights and nothing else. */
export function isRights(value: unknown): value is Rights {
  return typeof value === "number" && Number.isInteger(value) &&
    (value & ~RIGHTS_ALL) === 0;
}
