/** Nobody sends under another's name: what comes out at the far end is what the sender's grant names. */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { PAGE_BYTES } from "../../../caps/memory/memory.ts";
import {
  CHECKSUM_MAY_BE_PARTIAL,
  CHECKSUM_PARTIAL,
  checksumOf,
  gsoOf,
  segmentBytesOf,
} from "../../../caps/port/offload.ts";
import {
  inlineStride,
  RECORD_BYTES,
  RecordView,
  STRING_BYTES,
} from "../../../caps/port/records.ts";
import { MappedPages } from "../../../drivers/sys/mapped_pages.ts";
import type { Grant } from "../../../services/filter/grant/grant.ts";
import { matches } from "../../../services/filter/tree/reference.ts";
import { framesFor } from "../../arbitraries/grant_frames.ts";
import { grantArbitrary } from "../../arbitraries/grants.ts";
import { testWith, whyMissing } from "../../needs.ts";
import { DLT, LIBPCAP, Libpcap } from "../../oracles/libpcap.ts";
import { testProperty } from "../../property.ts";
import { Outbox, type Outgoing } from "./outbox.ts";
import { CASES, datagram, OWN } from "./sending_cases.ts";
import type { Likeness } from "../../model/stalling_driver.ts";

const file = import.meta.url;
const FRAME_BYTES_MAX = 1514;
const { sends: OWN_DATAGRAMS } =
  CASES["from one Ethernet address, IPv4 address and port"]!;

/** NICs whose frames become pages either way, or whose packets come with half a checksum. */
const LIKENESSES: Readonly<Record<string, Likeness>> = {
  "copied pages": {},
  "copied pages and partial checksums": { partialChecksums: true },
  ...(whyMissing("linux") === undefined
    ? {
      "mapped pages and partial checksums": {
        partialChecksums: true,
        pages: (memory) => new MappedPages(memory),
      },
    }
    : {}),
};

/** Frames for a grant, some of them as long as a NIC takes, or longer. */
function outgoingFor(sends: Grant): fc.Arbitrary<Outgoing[]> {
  const bytes = fc.tuple(
    framesFor([sends]),
    fc.option(fc.constantFrom(60, 1513, 1514, 1515, 2000), {
      nil: 0,
      freq: 2,
    }),
  ).map(([frame, length]) => {
    const padded = new Uint8Array(Math.max(frame.length, length));
    padded.set(frame);
    return padded;
  });
  const outgoing = fc.record({
    bytes,
    inPage: fc.option(fc.constantFrom(0, 1, 256, 2000), { nil: undefined }),
    offload: fc.oneof(
      { weight: 9, arbitrary: fc.constantFrom(0, CHECKSUM_MAY_BE_PARTIAL) },
      { weight: 1, arbitrary: fc.nat() },
    ),
  }).map(({ inPage, ...rest }) =>
    inPage === undefined ? rest : { ...rest, inPage }
  );
  return fc.array(outgoing, { minLength: 1, maxLength: 12 });
}

/** Whether the driver is asked to complete a checksum or to make segments: it may change the frame. */
function asksForWork({ offload = 0 }: Outgoing): boolean {
  return checksumOf(offload) === CHECKSUM_PARTIAL || gsoOf(offload) !== 0 ||
    segmentBytesOf(offload) !== 0;
}

/** What is to come out of `frames`, in order. */
function permittedOf(frames: readonly Outgoing[], sends: Grant): Uint8Array[] {
  return frames.map(({ bytes }) => bytes).filter((bytes) =>
    bytes.length >= 14 && bytes.length <= FRAME_BYTES_MAX &&
    matches(sends, bytes, 0, bytes.length)
  );
}

for (const [name, likeness] of Object.entries(LIKENESSES)) {
  testProperty(
    `only what the sender's grant names goes out, and all of that byte for byte where no work is asked for: ${name}`,
    { runs: 150, file },
    fc.property(
      grantArbitrary.chain((sends) =>
        fc.record({
          sends: fc.constant(sends),
          messages: fc.array(outgoingFor(sends), {
            minLength: 1,
            maxLength: 3,
          }),
        })
      ),
      ({ sends, messages }) => {
        using outbox = new Outbox(sends, likeness);
        for (const frames of messages) {
          const kept = outbox.post(frames);
          for (const view of kept) {
            strictEqual(view.length, 0, "a view that the holder has kept");
          }
          outbox.rig.turn();
          const sent = outbox.rig.sent();
          if (!frames.some(asksForWork)) {
            deepStrictEqual(sent, permittedOf(frames, sends));
          }
          ok(sent.every((frame) => matches(sends, frame, 0, frame.length)));
          const { lent, inFlight } = outbox.rig.service.counts().pages;
          deepStrictEqual([lent, inFlight], [0, 0]);
        }
      },
    ),
  );
}

for (const [sender, { sends, permitted, refused }] of Object.entries(CASES)) {
  Deno.test(`who may send ${sender} sends that and nothing else`, () => {
    for (const inPage of [undefined, 256]) {
      using outbox = new Outbox(sends, { partialChecksums: true });
      const send = (bytes: Uint8Array) =>
        outbox.send([inPage === undefined ? { bytes } : { bytes, inPage }]);
      for (const [what, frame] of Object.entries(permitted)) {
        deepStrictEqual(send(frame), [frame], what);
        ok(matches(sends, frame, 0, frame.length), what);
      }
      deepStrictEqual(outbox.refused, {});
      let count = 0;
      for (const [what, frame] of Object.entries(refused)) {
        deepStrictEqual(send(frame), [], what);
        ok(!matches(sends, frame, 0, frame.length), what);
        deepStrictEqual(outbox.refused, { "send-not-permitted": ++count });
      }
    }
  });
}

const LIBPCAP_NEED = `library:${LIBPCAP}` as const;
const LIBPCAP_NAME =
  "what goes out of one sender's is what libpcap says is its own";
if (whyMissing(LIBPCAP_NEED) !== undefined) {
  testWith([LIBPCAP_NEED], LIBPCAP_NAME, () => {});
} else {
  const { mac, address, port } = OWN;
  const text =
    `ether src ${mac} and ip src host ${address} and udp src port ${port}
    and ip[0] & 0xf0 = 0x40 and ip[0] & 0xf >= 5 and ip[6:2] & 0x3fff = 0`;
  testProperty(
    LIBPCAP_NAME,
    { runs: 100, file },
    fc.property(outgoingFor(OWN_DATAGRAMS), (frames) => {
      using pcap = new Libpcap();
      using own = pcap.compile(text, DLT.ethernet);
      using outbox = new Outbox(OWN_DATAGRAMS);
      const expected = frames.map(({ bytes }) => Uint8Array.from(bytes))
        .filter((bytes) =>
          bytes.length >= 14 && bytes.length <= FRAME_BYTES_MAX &&
          own.matches(bytes)
        );
      deepStrictEqual(
        outbox.send(frames.map((frame) => ({ ...frame, offload: 0 }))),
        expected,
      );
    }),
  );
}

Deno.test("of frames in one run of pages, those that are not permitted stay", () => {
  for (const likeness of Object.values(LIKENESSES)) {
    using outbox = new Outbox(OWN_DATAGRAMS, likeness);
    const own = datagram();
    const others = datagram({ port: 9 });
    const frames = Array.from({ length: 16 }, (_, i) => ({
      bytes: i % 2 === 0 ? own : others,
      inPage: 256 * (i % 3),
    }));
    deepStrictEqual(outbox.send(frames), Array(8).fill(own));
    deepStrictEqual(outbox.refused, { "send-not-permitted": 8 });
  }
});

Deno.test("a frame that leaves its page, or its record, does not go out", () => {
  using outbox = new Outbox(CASES["fragments only"]!.sends);
  const own = datagram({ fragmentOffset: 1 });
  const inPages = (firstLength: number) => {
    const pages = outbox.lend(2);
    const view = new RecordView(new ArrayBuffer(STRING_BYTES));
    const next = pages.put(view, 0, own, PAGE_BYTES - own.length);
    pages.put(view, next, own, 0);
    view.setLength(0, firstLength);
    outbox.postRecords(view, 2, pages.buffers);
    outbox.rig.turn();
    return outbox.rig.sent();
  };
  const inString = (length: number) => {
    const view = new RecordView(new ArrayBuffer(STRING_BYTES));
    view.bytes.set(own, RECORD_BYTES);
    view.putInline(0, own.length);
    view.setLength(0, length);
    outbox.postRecords(view, 1, []);
    outbox.rig.turn();
    return outbox.rig.sent();
  };
  deepStrictEqual(inPages(own.length), [own, own]);
  deepStrictEqual(inString(own.length), [own]);
  deepStrictEqual(outbox.refused, {});
  // One byte of the next page: that one's frame goes out, and this one does not.
  deepStrictEqual(inPages(own.length + 1), [own]);
  const room = inlineStride(own.length) - RECORD_BYTES;
  strictEqual(inString(room)[0]?.length, room);
  deepStrictEqual(inString(room + 1), []);
  deepStrictEqual(inString(0xffffffff), []);
  deepStrictEqual(outbox.refused, { "malformed-frame": 3 });
});

Deno.test("no frame begins in its record's own header", () => {
  using outbox = new Outbox([{}]);
  for (let start = 0; start <= RECORD_BYTES; start++) {
    const view = new RecordView(new ArrayBuffer(STRING_BYTES));
    view.putInline(0, 100);
    view.setStart(0, start);
    view.setLength(0, 60);
    outbox.postRecords(view, 1, []);
    outbox.rig.turn();
    const sent = outbox.rig.sent().length;
    strictEqual(sent, start < RECORD_BYTES ? 0 : 1);
  }
  deepStrictEqual(outbox.refused, { "malformed-frame": RECORD_BYTES });
});

Deno.test("what a holder writes once it has posted a message does not go out", () => {
  for (const likeness of Object.values(LIKENESSES)) {
    using outbox = new Outbox(OWN_DATAGRAMS, likeness);
    const own = datagram();
    const others = datagram({ port: 9 });
    const { holder, rig } = outbox;
    // In a string that was copied instead of moved: the holder has its own still.
    const view = new RecordView(new ArrayBuffer(STRING_BYTES));
    view.bytes.set(own, RECORD_BYTES);
    view.putInline(0, own.length);
    const records = view.bytes.buffer;
    holder.port.post({
      capabilities: [holder.capability],
      records,
      count: 1,
      pages: [],
    });
    view.bytes.set(others, RECORD_BYTES);
    rig.turn();
    deepStrictEqual(rig.sent(), [own]);
    // In a page that was copied: on a mapped NIC that is none.
    const pages = outbox.lend(1);
    pages.put(view, 0, own, 0);
    const { buffers } = pages;
    holder.port.post({
      capabilities: [holder.capability],
      records,
      count: 1,
      pages: buffers,
    });
    new Uint8Array(buffers[0]!).set(others);
    rig.turn();
    deepStrictEqual(rig.sent(), likeness.pages === undefined ? [own] : []);
  }
});

/** Bytes in what is no plain buffer of its own. */
const LOOSE: Readonly<Record<string, (bytes: Uint8Array) => unknown>> = {
  "shared": (bytes) => filled(new SharedArrayBuffer(bytes.length), bytes),
  "resizable": (bytes) => {
    const maxByteLength = bytes.length + PAGE_BYTES;
    return filled(new ArrayBuffer(bytes.length, { maxByteLength }), bytes);
  },
  "resizable to its own size": (bytes) =>
    filled(
      new ArrayBuffer(bytes.length, { maxByteLength: bytes.length }),
      bytes,
    ),
  "a view that follows its buffer": (bytes) => {
    const maxByteLength = 2 * bytes.length;
    const buffer = new ArrayBuffer(bytes.length, { maxByteLength });
    return new Uint8Array(filled(buffer, bytes));
  },
  "a view": (bytes) => bytes.slice(),
};

function filled<B extends ArrayBufferLike>(buffer: B, bytes: Uint8Array): B {
  new Uint8Array(buffer).set(bytes);
  return buffer;
}

Deno.test("nothing goes out of a buffer that its sender could still change", () => {
  for (const likeness of Object.values(LIKENESSES)) {
    using outbox = new Outbox(OWN_DATAGRAMS, likeness);
    const { holder: { capability, port }, rig } = outbox;
    const own = datagram();
    const lent = outbox.lend(1);
    const inString = new RecordView(new ArrayBuffer(STRING_BYTES));
    inString.bytes.set(own, RECORD_BYTES);
    inString.putInline(0, own.length);
    const inPage = new RecordView(new ArrayBuffer(STRING_BYTES));
    inPage.putPage(0, own.length, lent.places[0]!.frame, 0, 0);
    const page = new Uint8Array(PAGE_BYTES);
    page.set(own);
    for (const [i, [what, loose]] of Object.entries(LOOSE).entries()) {
      const records = loose(inString.bytes);
      port.post({ capabilities: [capability], records, count: 1, pages: [] });
      const pages = [loose(page)];
      port.post({
        capabilities: [capability],
        records: inPage.bytes.buffer,
        count: 1,
        pages,
      });
      rig.turn();
      deepStrictEqual(rig.sent(), [], what);
      const count = i + 1;
      const refused = { malformed: count, "forged-page": count };
      deepStrictEqual(outbox.refused, refused, what);
    }
    strictEqual(rig.service.counts().pages.lent, 1, "the page is out still");
  }
});
