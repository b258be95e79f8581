import assert from "node:assert/strict";
import fc from "fast-check";
import { matches } from "../../../../services/filter/tree/reference.ts";
import { compileText } from "../../../../services/filter/language/compile.ts";
import { matchesText } from "../../../../services/filter/language/interpret.ts";
import { readIpHeader } from "../../../../services/filter/tree/ip_header.ts";
import {
  filter,
  FilterError,
  grant,
  type LinkType,
} from "../../../../services/filter/text/filter.ts";
import { anyFrame } from "../../../arbitraries/frames.ts";
import { linkedFrame } from "../../../arbitraries/linked_frames.ts";
import { expressionArbitrary } from "../../../arbitraries/expressions.ts";
import { grantTextArbitrary } from "../../../arbitraries/grant_texts.ts";
import { testProperty } from "../../../property.ts";
import { WALKED_EXTENSIONS } from "../../../../services/wire/numbers.ts";

const file = import.meta.url;
const LINK_TYPES = ["ethernet", "raw", "sll", "sll2", "null", "loop"] as const;

testProperty(
  "matches() says what the text's interpreter says, for every link type",
  { runs: 1000, file },
  fc.property(
    fc.constantFrom<LinkType>(...LINK_TYPES),
    expressionArbitrary,
    fc.array(fc.oneof(anyFrame(), fc.uint8Array({ maxLength: 80 })), {
      minLength: 1,
      maxLength: 5,
    }),
    fc.nat(),
    (linkType, text, frames, cut) => {
      const compiled = compileOrNot(text, linkType);
      fc.pre(compiled !== undefined);
      const { program } = compiled;
      for (const frame of frames) {
        const length = cut % (frame.length + 1);
        const inside = new Uint8Array(frame.length + 20);
        inside.set(frame, 9);
        for (const wire of [length, length + 1, frame.length]) {
          assert.equal(
            compiled.matches(inside, 9, length, wire),
            matchesText(program, frame, 0, length, wire),
            `${text} on ${length} of ${frame.toHex()}`,
          );
        }
      }
    },
  ),
);

function compileOrNot(text: string, linkType: LinkType) {
  try {
    return filter(text, { linkType });
  } catch (error) {
    if (error instanceof FilterError) return undefined;
    throw error;
  }
}

Deno.test("matches() takes packets beyond its room, and refuses what is not there", () => {
  const large = new Uint8Array(300_000);
  large[299_999] = 7;
  const last = filter("ether[299999] = 7");
  assert.equal(last.matches(large), true);
  assert.equal(last.matches(large, 0, 299_999), false);
  assert.equal(filter("").matches(new Uint8Array(0)), true);
  assert.throws(() => last.matches(large, 1, 300_000), RangeError);
  assert.throws(() => last.matches(large, -1, 2), RangeError);
});

/** Whether what libpcap and grants see differently is not in a frame: grant_text.ts lists it. */
function isPlain(frame: Uint8Array): boolean {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  if (frame.length < 80) return false;
  let type = view.getUint16(12);
  let at = 14;
  if (type === 0x9100) return false;
  if (type === 0x8100 || type === 0x88a8) {
    type = view.getUint16(16);
    at = 18;
  }
  if (type === 0x86dd) {
    return readIpHeader("ipv6", frame, at) !== undefined &&
      !WALKED_EXTENSIONS.includes(frame[at + 6]!);
  }
  if (type !== 0x0800) return true;
  const header = readIpHeader("ipv4", frame, at);
  return header !== undefined && !header.fragment;
}

testProperty(
  "grant() takes the frames that its text takes",
  { runs: 3000, file },
  fc.property(
    grantTextArbitrary,
    fc.array(fc.oneof(linkedFrame("ethernet"), anyFrame()), {
      minLength: 1,
      maxLength: 12,
    }),
    (text, frames) => {
      const program = compileText(text, { linkType: "ethernet" });
      let taken;
      try {
        taken = grant(text);
      } catch (error) {
        if (error instanceof FilterError) return;
        throw error;
      }
      for (const short of frames) {
        const frame = new Uint8Array(short.length + 80);
        frame.set(short);
        if (!isPlain(frame)) continue;
        assert.equal(
          matches(taken, frame, 0, frame.length),
          matchesText(program, frame),
          `${text} on ${frame.toHex()}`,
        );
      }
    },
  ),
);

testProperty(
  "grant() refuses every other text with a column, or takes it",
  { runs: 2000, file },
  fc.property(expressionArbitrary, (text) => {
    try {
      grant(text);
    } catch (error) {
      assert.ok(error instanceof FilterError, String(error));
      assert.ok(error.column >= 1 && error.column <= text.length + 1);
    }
  }),
);

Deno.test("grant() names the word that no grant can say", () => {
  const refused: readonly (readonly [string, number, RegExp])[] = [
    ["udp and not port 53", 9, /never what they are not/],
    ["tcp and less 60", 9, /`less`/],
    ["host 10.0.0.1", 6, /RARP/],
    ["ip6 proto 44", 11, /extension header/],
    ["ip6 and ip6 proto 44", 19, /extension header/],
    ["vlan and vlan", 10, /one VLAN tag/],
    ["vlan 5 or ip", 11, /behind the tag/],
    ["ip and arp", 1, /no frame/],
    ["tcp[0] = 1", 1, /`tcp`/],
    ["tcp dst prot 3", 14, /`3`/],
    ["net 10.0.0.0 mask 255.0.255.0 and ip", 5, /prefixes/],
    [Array.from({ length: 30 }, (_, i) => `port ${i}`).join(" or "), 56, /64/],
  ];
  for (const [text, column, message] of refused) {
    assert.throws(() => grant(text), (error) => {
      assert.ok(error instanceof FilterError, text);
      assert.match(error.message, message);
      assert.equal(error.column, column, error.message);
      return true;
    });
  }
});
