import assert from "node:assert/strict";
import {
  arpBytes,
  type ArpRepr,
  emitArp,
  parseArp,
} from "../../../services/wire/arp.ts";
import { arpRepr } from "../../arbitraries/reprs.ts";
import { testCodec } from "./codec_laws.ts";

testCodec<ArpRepr>({
  name: "arp",
  reprs: arpRepr(),
  parse: parseArp,
  emit: emitArp,
  size: arpBytes,
}, import.meta.url);

Deno.test("parseArp() says what is not IPv4 over Ethernet", () => {
  const packet = new Uint8Array(28);
  emitArp(
    {
      operation: 1,
      senderMac: new Uint8Array(6),
      senderAddress: 1,
      targetMac: new Uint8Array(6),
      targetAddress: 2,
    },
    packet,
    0,
  );
  const changed = (at: number, value: number) => {
    const copy = Uint8Array.from(packet);
    copy[at] = value;
    return parseArp(copy, 0, copy.length);
  };
  assert.equal(changed(1, 6), "hardware");
  assert.equal(changed(4, 8), "hardware");
  assert.equal(changed(3, 6), "protocol");
  assert.equal(changed(5, 16), "protocol");
});
