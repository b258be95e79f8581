/** What draws values, by a name of our own: our documentation ends where fast-check's begins. */

import type fc from "fast-check";

/**
 * An arbitrary of fast-check's, `fc.Arbitrary`: it draws values, and shrinks them.
 *
 * @internal
 */
export type Arbitrary<T> = fc.Arbitrary<T>;
