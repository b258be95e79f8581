/** What bounds a port between services. Both ends hold the other to the same. */

/** The most requests of one port that have no answer, or whose answer was not read. */
export const REQUESTS_MAX = 64;

/** The most pushes of one port that were not read yet. */
export const PUSHES_MAX = 64;

/** Records that no honest end sends, after which a port is closed. */
export const STRIKES_MAX = 64;

/** Unread messages at which a port is closed: twice what an honest end can have under way. */
export const UNREAD_MAX: number = 2 * (REQUESTS_MAX + PUSHES_MAX);
