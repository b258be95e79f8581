/** Kinds of fields with their values, for tests. */

import fc from "fast-check";
import * as fields from "../../../services/ports/fields.ts";
import type { IpAddress } from "../../../services/wire/ip_address.ts";

/** A kind of field, and values of it. */
export interface Kind {
  readonly field: fields.Field<unknown>;
  readonly values: fc.Arbitrary<unknown>;
}

/** A kind with values of its type. */
function kind<Value>(
  field: fields.Field<Value>,
  values: fc.Arbitrary<Value>,
): Kind {
  return { field, values };
}

const bytesUpTo = (maxLength: number, minLength = 0) =>
  fc.uint8Array({ minLength, maxLength })
    .map((bytes): Uint8Array<ArrayBuffer> => Uint8Array.from(bytes));

/** Addresses of either version; none of IPv4 in IPv6's form, which is no address on a wire. */
const ipAddresses: fc.Arbitrary<IpAddress> = fc.oneof(
  fc.bigInt(0n, 2n ** 32n - 1n)
    .map((value): IpAddress => ({ version: 4, value })),
  fc.bigInt(0n, 2n ** 128n - 1n)
    .filter((value) => value >> 32n !== 0xffffn)
    .map((value): IpAddress => ({ version: 6, value })),
);

const plain: readonly fc.Arbitrary<Kind>[] = [
  fc.constant(kind(fields.u8, fc.integer({ min: 0, max: 0xff }))),
  fc.constant(kind(fields.u16, fc.integer({ min: 0, max: 0xffff }))),
  fc.constant(kind(fields.u32, fc.integer({ min: 0, max: 0xffff_ffff }))),
  fc.constant(kind(fields.flag, fc.boolean())),
  fc.constant(kind(fields.oneOf("a", "b", "c"), fc.constantFrom("a", "b"))),
  fc.nat(20).map((max) =>
    kind(
      fields.text(max),
      fc.string({ unit: "binary", maxLength: 20 }).filter((text) =>
        new TextEncoder().encode(text).length <= max
      ),
    )
  ),
  fc.nat(20).map((max) => kind(fields.bytes(max), bytesUpTo(max))),
  fc.constant(kind(fields.mac, bytesUpTo(6, 6))),
  fc.constant(kind(fields.ipAddress, ipAddresses)),
];

/** Kinds of fields, also of lists and records. */
export const kinds: fc.Arbitrary<Kind> = fc.letrec<{ kind: Kind }>((tie) => ({
  kind: fc.oneof(
    { depthSize: "small" },
    ...plain,
    tie("kind").map(({ field, values }) =>
      kind(fields.optional(field), fc.option(values, { nil: undefined }))
    ),
    fc.tuple(tie("kind"), fc.nat(3)).map(([{ field, values }, max]) =>
      kind(fields.list(field, max), fc.array(values, { maxLength: max }))
    ),
    fc.dictionary(fc.stringMatching(/^[a-z]$/), tie("kind"), { maxKeys: 3 })
      .map((members) => {
        const entries = Object.entries(members);
        return kind(
          fields.record(
            Object.fromEntries(
              entries.map(([name, { field }]) => [name, field]),
            ),
          ),
          fc.record(
            Object.fromEntries(
              entries.map(([name, { values }]) => [name, values]),
            ),
          ).map((value) => ({ ...value })),
        );
      }),
  ),
})).kind;
