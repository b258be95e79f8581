/**
 * The messages that go through a pair of pipes, to a service in a process of its
 * own and back: many ports share one stream of bytes each way.
 *
 * ```
 *  0       4      5     6         8
 *  ├ size ─┼ kind ┼ 0 ──┼ channel ┤ body, `size` bytes … │ 0 to 7 bytes, 0 │
 *    u32     u8     u8    u16
 * ```
 *
 * Numbers are in the byte order of the machine: a stream never leaves it. Every
 * message begins at a multiple of 8 bytes.
 *
 * ```
 *  kind      body                                           from
 *  value     JSON (values.ts)                               both
 *  bytes     a message between two services                 both
 *  close     none: the channel is closed                    both
 *  records   packets (records_body.ts)                      both
 *  page      a page of the `records` before                 both
 *  string    none: a string of the holder's own is back     driver
 *  wake      none: the deadline has come                    driver
 *  deadline  f64, milliseconds until it wants a `wake`      holder
 * ```
 */

/** What a message is. */
export const KIND = {
  value: 1,
  bytes: 2,
  close: 3,
  records: 4,
  page: 5,
  string: 6,
  wake: 7,
  deadline: 8,
} as const;

/** The kinds of the data channel, by who sends them. */
export const DATA_KINDS: {
  readonly fromDriver: readonly number[];
  readonly fromHolder: readonly number[];
} = {
  fromDriver: [KIND.records, KIND.page, KIND.string],
  fromHolder: [KIND.records, KIND.page],
};

/** The largest kind. */
export const KIND_MAX: number = KIND.deadline;

/** Bytes of a message before its body. */
export const HEADER_BYTES = 8;

/** The most bytes of a body. Whoever claims more writes no messages. */
export const BODY_BYTES_MAX = 16_777_216;

/** Channels that every service has. */
export const CHANNEL = {
  /** The first message, and what the process itself is told. */
  start: 0,
  /** To the system. */
  control: 1,
  /** To the filter service. */
  requests: 2,
  /** To the driver service. */
  data: 3,
  /** The first of those between services. */
  services: 16,
} as const;

/** The most channels. */
export const CHANNELS_MAX = 4096;

/** `sizeBytes`, and what it takes to the next message. */
export function paddedBytes(sizeBytes: number): number {
  return sizeBytes + 7 & ~7;
}
