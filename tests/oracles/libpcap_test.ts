import { deepStrictEqual, match, ok, throws } from "node:assert/strict";
import { testWith } from "../needs.ts";
import { DLT, LIBPCAP, Libpcap } from "./libpcap.ts";

testWith(
  [`library:${LIBPCAP}`],
  "libpcap compiles, runs both its filter calls, and says what it refuses",
  () => {
    using libpcap = new Libpcap();
    match(libpcap.version, /libpcap/);
    using filter = libpcap.compile("ether[0] = 7 and len > 20", DLT.ethernet);
    const seven = Uint8Array.of(7, 1, 2);
    const eight = Uint8Array.of(8, 1, 2);
    deepStrictEqual(
      [seven, eight].map((packet) => filter.matches(packet, 60)),
      [true, false],
    );
    deepStrictEqual(
      [seven, eight].map((packet) => filter.matchesOffline(packet, 60)),
      [true, false],
    );
    ok(!filter.matches(seven), "len is the wire length");
    ok(filter.instructions.length >= 4);
    throws(
      () => libpcap.compile("tcp port", DLT.ethernet),
      /syntax error|parse/,
    );
  },
);
