import assert from "node:assert/strict";
import {
  emitEthernet,
  ethernetBytes,
  etherTypeOffset,
  parseEthernet,
} from "../../../services/wire/ethernet.ts";
import { ethernetRepr } from "../../arbitraries/reprs.ts";
import { testCodec } from "./codec_laws.ts";

testCodec({
  name: "ethernet",
  reprs: ethernetRepr(),
  parse: parseEthernet,
  emit: emitEthernet,
  size: ethernetBytes,
}, import.meta.url);

Deno.test("etherTypeOffset() takes a third VLAN tag for the payload", () => {
  const frame = new Uint8Array(30);
  frame.set([0x88, 0xa8, 0, 1, 0x81, 0, 0, 2, 0x81, 0, 0, 3, 8, 0], 12);
  assert.equal(etherTypeOffset(frame, 0, 30), 20);
  assert.equal(etherTypeOffset(frame, 0, 21), -1);
});

Deno.test("emitEthernet() refuses three VLAN tags", () => {
  const tag = {
    protocol: 0x8100,
    priority: 0,
    dropEligible: false,
    identifier: 1,
  };
  const repr = {
    destination: new Uint8Array(6),
    source: new Uint8Array(6),
    tags: [tag, tag, tag],
    etherType: 0x0800,
  };
  assert.throws(() => emitEthernet(repr, new Uint8Array(64), 0), RangeError);
});
