/** Every value has one form in bytes, and nothing else is read as one. */

import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import { BodyReader, BodyWriter } from "../../../services/ports/body.ts";
import * as fields from "../../../services/ports/fields.ts";
import { testProperty } from "../../property.ts";
import { kinds } from "./kinds.ts";

/** Bytes around a body, which no field may touch. */
const MARGIN = 3;

function written(
  field: fields.Field<unknown>,
  value: unknown,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(MARGIN + field.sizeMax + MARGIN).fill(0xa5);
  const into = new BodyWriter(bytes, MARGIN);
  field.write(into, value);
  ok(into.at - MARGIN <= field.sizeMax);
  const outside = [...bytes.subarray(0, MARGIN), ...bytes.subarray(into.at)];
  // What lies behind may have been tried, for a text that was too long; not beyond its room.
  deepStrictEqual(outside.slice(0, MARGIN), [0xa5, 0xa5, 0xa5]);
  deepStrictEqual(outside.slice(-MARGIN), [0xa5, 0xa5, 0xa5]);
  return bytes.slice(MARGIN, into.at);
}

/** The value that is the whole of `body`, which lies among other bytes; undefined when there is none. */
function readBack(
  field: fields.Field<unknown>,
  body: Uint8Array,
): { readonly value: unknown } | undefined {
  const bytes = new Uint8Array(MARGIN + body.length + 100).fill(1);
  bytes.set(body, MARGIN);
  const from = new BodyReader();
  from.begin(bytes, MARGIN, MARGIN + body.length);
  const value = field.read(from);
  ok(from.at <= from.end);
  return from.whole ? { value } : undefined;
}

testProperty(
  "what was written is read",
  { runs: 500, file: import.meta.url },
  fc.property(
    kinds.chain(({ field, values }) =>
      values.map((value) => ({ field, value }))
    ),
    ({ field, value }) => {
      deepStrictEqual(readBack(field, written(field, value)), { value });
    },
  ),
);

testProperty(
  "whatever is read as a value is the one form of it, and nothing is read past the end",
  { runs: 1000, file: import.meta.url },
  fc.property(
    kinds.chain(({ field, values }) =>
      fc.record({
        field: fc.constant(field),
        body: fc.oneof(
          fc.uint8Array({ maxLength: 40 }),
          // One byte off from what is right.
          fc.tuple(values, fc.nat(), fc.nat(255)).map(([value, at, byte]) => {
            const body = written(field, value);
            if (body.length > 0) body[at % body.length] = byte;
            return body;
          }),
          fc.tuple(values, fc.nat()).map(([value, length]) => {
            const body = written(field, value);
            return body.subarray(0, length % (body.length + 1));
          }),
        ),
      })
    ),
    ({ field, body }) => {
      const read = readBack(field, body);
      if (read === undefined) return;
      deepStrictEqual([...written(field, read.value)], [...body]);
    },
  ),
);

testProperty(
  "what is not of its kind is refused in words, and no field takes it",
  { runs: 500, file: import.meta.url },
  fc.property(kinds, fc.anything({ withBigInt: true }), ({ field }, value) => {
    const into = new BodyWriter(new Uint8Array(field.sizeMax), 0);
    try {
      field.write(into, value);
    } catch (error) {
      ok(error instanceof TypeError, String(error));
      ok(/expected .*, got /.test(error.message), error.message);
      return;
    }
    ok(readBack(field, into.bytes.subarray(0, into.at)) !== undefined);
  }),
);

Deno.test("a field says which one is wrong, and what was expected", () => {
  const field = fields.record({ to: fields.record({ port: fields.u16 }) });
  const into = () => new BodyWriter(new Uint8Array(field.sizeMax), 0);
  throws(() => field.write(into(), { to: { port: 65_536 } }), {
    message: "to: port: expected a whole number from 0 to 65535, got 65536",
  });
  throws(() => field.write(into(), { to: undefined! }), {
    message: "to: expected a record, got nothing",
  });
  const short = fields.text(3);
  throws(
    () => short.write(new BodyWriter(new Uint8Array(9), 0), "añb"),
    /expected a text of at most 3 bytes, got "añb"/,
  );
  strictEqual(field.kind, "{to:{port:u16}}");
});

Deno.test("kinds that cannot be are refused when they are made", () => {
  throws(() => fields.text(-1), RangeError);
  throws(() => fields.bytes(65_536), RangeError);
  throws(() => fields.list(fields.u8, 1.5), RangeError);
  throws(() => fields.oneOf(), RangeError);
  throws(() => fields.oneOf("a", "b", "a"), /a word is there twice/);
});

Deno.test("an IPv4 address in IPv6's form is none, nor is a number of too many bits", () => {
  const { ipAddress } = fields;
  const mapped = Uint8Array.of(6, ...Array(10).fill(0), 255, 255, 10, 0, 0, 1);
  strictEqual(readBack(ipAddress, mapped), undefined);
  const into = () => new BodyWriter(new Uint8Array(17), 0);
  for (
    const [version, value] of [
      [6, 0xffff_0a00_0001n],
      [4, 2n ** 32n],
      [6, 2n ** 128n],
      [4, -1n],
    ] as const
  ) {
    throws(() => ipAddress.write(into(), { version, value }), /an IP address/);
  }
});
