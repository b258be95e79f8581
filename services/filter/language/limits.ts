/**
 * What the compiler admits. A text beyond a limit is refused with a FilterError.
 * What a person writes, or makes from a list of some ten thousand addresses, is
 * within them.
 */

/** UTF-16 units in one filter text. */
export const TEXT_LENGTH_MAX = 4_194_304;

/** Parentheses, `not`s, minus signs and indices within one another. */
export const NESTING_MAX = 256;

/** Operators of one arithmetic expression that lie under one another. */
export const VALUE_DEPTH_MAX = 512;

/** Comparisons in the program that a text becomes, each number of a set counted. */
export const TESTS_MAX = 262_144;

/** Results that one arithmetic expression may hold at a time (BPF_MEMWORDS). */
export const REGISTERS_MAX = 16;

/**
 * Headers that `protochain` walks over. libpcap has no limit, and never ends
 * on a chain that leads back into itself; here such a packet does not match.
 */
export const PROTOCHAIN_STEPS_MAX = 8_192;
