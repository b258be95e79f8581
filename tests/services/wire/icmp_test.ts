import assert from "node:assert/strict";
import {
  emitIcmp,
  icmpBytes,
  type IcmpRepr,
  parseIcmp,
} from "../../../services/wire/icmp.ts";
import fc from "fast-check";
import { icmpRepr } from "../../arbitraries/reprs.ts";
import { testProperty } from "../../property.ts";
import { testCodec } from "./codec_laws.ts";

testCodec<IcmpRepr>({
  name: "icmp",
  reprs: icmpRepr(0),
  parse: parseIcmp,
  emit: emitIcmp,
  size: icmpBytes,
}, import.meta.url);

testProperty(
  "icmp: parse(emit(x)) = x, with a payload",
  { runs: 500, file: import.meta.url },
  fc.property(icmpRepr(1472), (repr) => {
    const bytes = new Uint8Array(icmpBytes(repr));
    emitIcmp(repr, bytes, 0);
    const parsed = parseIcmp(bytes, 0, bytes.length);
    assert.ok(typeof parsed === "object");
    assert.deepEqual(
      { ...parsed, payload: [...parsed.payload] },
      { ...repr, payload: [...repr.payload] },
    );
  }),
);

testProperty(
  "parseIcmp() refuses a message with any one bit flipped",
  { runs: 500, file: import.meta.url },
  fc.property(icmpRepr(64), fc.nat(), (repr, bit) => {
    const bytes = new Uint8Array(icmpBytes(repr));
    emitIcmp(repr, bytes, 0);
    const at = (bit >>> 3) % bytes.length;
    bytes[at] = bytes[at]! ^ 1 << (bit & 7);
    assert.equal(parseIcmp(bytes, 0, bytes.length), "checksum");
  }),
);
