import { equal, match, ok } from "node:assert/strict";
import fc from "fast-check";
import {
  describeLinked,
  linkHeaderBytes,
  linkOf,
} from "../../../services/wire/link.ts";
import { linkedFrame } from "../../arbitraries/linked_frames.ts";
import type { LinkType } from "../../../services/wire/link_type.ts";
import { testProperty } from "../../property.ts";

const packetArbitrary = fc.constantFrom<LinkType>(
  ...["ethernet", "raw", "sll", "sll2", "null", "loop"] as const,
).chain((link) =>
  fc.tuple(
    fc.constant(link),
    fc.oneof(linkedFrame(link), fc.uint8Array({ maxLength: 40 })),
    fc.nat(100),
  )
);

testProperty(
  "describeLinked() gives one line for any packet of any link, and reads nothing around it",
  { runs: 2000, file: import.meta.url },
  fc.property(packetArbitrary, ([link, whole, cut]) => {
    const packet = whole.subarray(0, cut);
    const line = describeLinked(link, packet, 0, packet.length);
    match(line, /^[\x20-\x7e]+$/);
    const buffer = new Uint8Array(packet.length + 100).fill(0x45);
    buffer.set(packet, 50);
    equal(describeLinked(link, buffer, 50, 50 + packet.length), line);
    const headerBytes = linkHeaderBytes(link, packet, 0, packet.length);
    ok(headerBytes >= 0 && headerBytes <= packet.length);
    equal(
      linkHeaderBytes(link, buffer, 50, 50 + packet.length),
      headerBytes,
    );
  }),
);

Deno.test("linkOf() knows the links that filters know, and raw IP by its older number too", () => {
  const links = [0, 1, 12, 101, 108, 113, 276].map(linkOf).join(" ");
  equal(links, "null ethernet raw raw loop sll sll2");
  equal(linkOf(105), undefined);
});
