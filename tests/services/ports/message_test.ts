/** Messages between services: what was put in comes out, and no bytes do harm. */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import * as fields from "../../../services/ports/fields.ts";
import {
  MESSAGE_BYTES_MAX,
  MessageWalk,
  MessageWriter,
} from "../../../services/ports/message.ts";
import { BODY_BYTES_MAX } from "../../../services/ports/interface.ts";
import { testProperty } from "../../property.ts";

const body = fields.bytes(BODY_BYTES_MAX - 2);
const u32s = fc.integer({ min: 0, max: 0xffff_ffff });
const sizes = fc.oneof(fc.nat(20), fc.nat(BODY_BYTES_MAX - 2));

testProperty(
  "the records of a message are those that were put in, as many as there is room for",
  { runs: 200, file: import.meta.url },
  fc.property(
    u32s,
    fc.array(fc.record({ kind: fc.nat(255), number: u32s, size: sizes }), {
      maxLength: 40,
    }),
    (word, records) => {
      const writer = new MessageWriter();
      const walk = new MessageWalk();
      const added: unknown[] = [];
      const found: unknown[] = [];
      const post = () => {
        const message = writer.take(word);
        ok(message.byteLength <= MESSAGE_BYTES_MAX);
        ok(walk.begin(message));
        strictEqual(walk.word, word);
        while (walk.next()) {
          const { kind, number } = walk;
          const { length: size } = walk.read(body);
          ok(walk.body.whole);
          found.push({ kind, number, size });
        }
        ok(walk.ended);
        ok(writer.empty);
      };
      for (const { kind, number, size } of records) {
        if (!writer.hasRoom) post();
        writer.add(kind, number, body, new Uint8Array(size));
        added.push({ kind, number, size });
      }
      post();
      deepStrictEqual(found, added);
    },
  ),
);

testProperty(
  "no message makes a walk throw, or leave it",
  { runs: 1000, file: import.meta.url },
  fc.property(
    fc.oneof(
      fc.anything(),
      fc.uint8Array({ maxLength: 60 }).map((bytes) =>
        Uint8Array.from(bytes).buffer
      ),
    ),
    (message) => {
      const walk = new MessageWalk();
      if (!walk.begin(message)) return;
      const { byteLength } = message as ArrayBuffer;
      for (let records = 0; walk.next(); records++) {
        ok(records * 8 < byteLength);
        ok(walk.body.end <= byteLength);
        walk.read(fields.record({ a: fields.ipAddress, b: fields.text(5) }));
        ok(walk.body.at <= walk.body.end);
      }
    },
  ),
);

Deno.test("what cannot be a message is none", () => {
  const walk = new MessageWalk();
  for (
    const none of [
      null,
      "text",
      new Uint8Array(8),
      new ArrayBuffer(3),
      new ArrayBuffer(MESSAGE_BYTES_MAX + 1),
      new SharedArrayBuffer(8),
    ]
  ) strictEqual(walk.begin(none), false);
  ok(walk.begin(new ArrayBuffer(4)));
  ok(walk.ended);
});

Deno.test("a value that is refused leaves the message as it was", () => {
  const writer = new MessageWriter();
  try {
    writer.add(1, 1, fields.list(fields.u8, 3), [1, 2, 300]);
  } catch (error) {
    ok(error instanceof TypeError);
  }
  ok(writer.empty);
  strictEqual(writer.take(0).byteLength, 4);
});
