import { delay } from "@std/async/delay";
import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import fc from "fast-check";
import { openCaptureFile } from "../../../drivers/capture/file.ts";
import { openCapture } from "../../../drivers/capture/format.ts";
import {
  inlineStride,
  OWN_STRINGS_MAX,
  STRING_BYTES,
} from "../../../caps/port/records.ts";
import { RefusedError } from "../../../services/filter/service/client.ts";
import type { Grant } from "../../../services/filter/grant/grant.ts";
import { ethernet, ipv4 } from "../../../services/filter/grant/builder.ts";
import {
  defaultManifest,
  type Manifest,
  parseManifest,
} from "../../../services/manifest/manifest.ts";
import type { Receiver } from "../../../services/receiver/receiver.ts";
import {
  boot,
  type OpenOptions,
  type System,
} from "../../../services/system/boot.ts";
import { randomFrame } from "../../arbitraries/frames.ts";
import { testProperty } from "../../property.ts";
import { writeCapture } from "../wire/capture_file.ts";

const EVERYTHING: Grant = [{}];

/** A system that replays a capture, without services; it receives when it is told to. */
async function bootReplay(
  path: string,
  more: Partial<Manifest> = {},
): Promise<System> {
  const manifest = parseManifest({
    nic: `pcap:${path}`,
    address: "10.77.0.2/24",
    pace: "at-once",
    services: { arp: { core: "arp" } },
  });
  return await boot(
    { ...manifest, services: {}, ...more },
    { confined: false, paused: true },
  );
}

/** Runs `use` with one capability for all that a capture of `frames` brings. */
async function withReceiver(
  frames: readonly Uint8Array[],
  options: OpenOptions,
  use: (receiver: Receiver, system: System) => Promise<void>,
): Promise<void> {
  const path = writeCapture(frames);
  try {
    const system = await bootReplay(path);
    // It could send everything: what it only reads is not sent all the same.
    const receiver = await system.open(EVERYTHING, {
      sends: EVERYTHING,
      ...options,
    });
    system.receive();
    await use(receiver, system);
    await receiver[Symbol.asyncDispose]();
    const { nic, pages } = await system.stop();
    equal(nic.sentPackets, 0);
    equal(pages.free, pages.total, "every page has come back");
  } finally {
    Deno.removeSync(path);
  }
}

/** The next packets, `count` at the most, in a loop of their own. */
async function read(receiver: Receiver, count: number): Promise<Uint8Array[]> {
  const packets: Uint8Array[] = [];
  if (count === 0) return packets;
  for await (const { bytes } of receiver) {
    packets.push(bytes.slice());
    if (packets.length === count) break;
  }
  return packets;
}

/** Frames that are long enough to be a NIC's. */
const frames = fc.array(
  randomFrame().filter((frame) => frame.length >= 14 && frame.length <= 1514),
  { minLength: 1, maxLength: 100 },
);

/** How packets can come. */
const ways = fc.constantFrom<OpenOptions>(
  { copyBytesMax: 0 },
  { copyBytesMax: 128 },
  { copyBytesMax: 4096 },
  { trusted: true },
);

testProperty(
  "packets come in order and whole, copied, as pages or where they lie, however often the loop is left",
  { runs: 30, file: import.meta.url },
  fc.asyncProperty(
    frames,
    ways,
    fc.array(fc.integer({ min: 1, max: 40 })),
    async (frames, way, loops) => {
      const options = { quotaPages: 128, ...way };
      await withReceiver(frames, options, async (receiver) => {
        const packets: Uint8Array[] = [];
        for (const length of [...loops, frames.length]) {
          const left = frames.length - packets.length;
          packets.push(...await read(receiver, Math.min(length, left)));
        }
        deepEqual(packets, frames);
      });
    },
  ),
);

testProperty(
  "what was not read when the receiver is closed comes back, pages and all",
  { runs: 30, file: import.meta.url },
  fc.asyncProperty(frames, ways, fc.nat(), async (frames, way, share) => {
    const options = { quotaPages: 128, ...way };
    await withReceiver(frames, options, async (receiver) => {
      const count = share % (frames.length + 1);
      deepEqual(await read(receiver, count), frames.slice(0, count));
    });
  }),
);

Deno.test("what is read where it lies is neither observed nor interposed", async () => {
  await withReceiver([], {}, async (_receiver, system) => {
    for (const other of [{ observe: true }, { interpose: [] }]) {
      await rejects(
        system.open(EVERYTHING, { trusted: true, ...other }),
        /`trusted` goes neither with `observe` nor with `interpose`/,
      );
    }
  });
});

Deno.test("a loop that waits ends when the receiver is closed", async () => {
  const frame = new Uint8Array(60).fill(1);
  await withReceiver([frame], {}, async (receiver) => {
    const all = read(receiver, Infinity);
    await delay(20);
    await receiver[Symbol.asyncDispose]();
    deepEqual(await all, [frame]);
  });
});

Deno.test("a loop that waits ends when the system stops", async () => {
  await withReceiver([], {}, async (receiver, system) => {
    const all = read(receiver, Infinity);
    await system.stop();
    deepEqual(await all, []);
    equal(receiver.send(new Uint8Array(60)), false);
  });
});

Deno.test("a closed receiver's packets are another's that asks for them", async () => {
  await withReceiver([], {}, async (receiver, system) => {
    await rejects(system.open(EVERYTHING), RefusedError);
    await receiver[Symbol.asyncDispose]();
    await using second = await system.open(EVERYTHING);
    ok(second);
  });
});

Deno.test("a receiver sends what it was granted, and nothing else", async () => {
  const type = (etherType: number) => {
    const frame = new Uint8Array(60).fill(7);
    new DataView(frame.buffer).setUint16(12, etherType);
    return frame;
  };
  const replayed = writeCapture([]);
  const write = Deno.makeTempFileSync({ suffix: ".pcap" });
  try {
    const system = await bootReplay(replayed, { write });
    const sends: Grant = [{ payload: { kind: "type", etherType: 0x88b5 } }];
    const silent = await system.open([{ vlan: 1 }]);
    const receiver = await system.open([{ vlan: 2 }], { sends });
    silent.send(type(0x88b5));
    for (const etherType of [0x88b5, 0x88b6, 0x88b5]) {
      equal(receiver.send(type(etherType)), true);
    }
    await system.stop();
    deepEqual(packetsIn(write), [type(0x88b5), type(0x88b5)]);
  } finally {
    Deno.removeSync(replayed);
    Deno.removeSync(write);
  }
});

testProperty(
  "what a receiver takes to be sent goes out, whatever the burst; it takes what its byte strings hold, and as much again once that is out",
  { runs: 8, file: import.meta.url },
  fc.asyncProperty(
    fc.integer({ min: 60, max: 1514 }),
    fc.integer({ min: 1, max: 1500 }),
    async (length, burst) => {
      const replayed = writeCapture([]);
      const write = Deno.makeTempFileSync({ suffix: ".pcap" });
      try {
        const system = await bootReplay(replayed, { write });
        const receiver = await system.open([{ vlan: 2 }], {
          sends: ethernet().grant,
          quotaPages: 1500,
        });
        const room = OWN_STRINGS_MAX *
          Math.floor(STRING_BYTES / inlineStride(length));
        let sent = 0;
        for (let round = 1; round <= 2; round++) {
          for (let i = 0; i < burst; i++) {
            const frame = new Uint8Array(length);
            new DataView(frame.buffer).setUint32(20, sent);
            const taken = receiver.send(frame);
            equal(taken, i < room);
            if (taken) sent++;
          }
          while ((await receiver.account()).sentPackets < sent);
          await delay(0); // the page is returned
        }
        await system.stop();
        const numbers = packetsIn(write).map((frame) =>
          new DataView(frame.buffer, frame.byteOffset).getUint32(20)
        );
        deepEqual(numbers, Array.from({ length: sent }, (_, i) => i));
      } finally {
        Deno.removeSync(replayed);
        Deno.removeSync(write);
      }
    },
  ),
);

function packetsIn(path: string): Uint8Array[] {
  using file = openCaptureFile(path);
  const capture = openCapture(file.chunks);
  const packets: Uint8Array[] = [];
  for (let next = capture.next(); next; next = capture.next()) {
    packets.push(next.bytes.slice(next.start, next.start + next.length));
  }
  return packets;
}

Deno.test("an observer sees the packets that a service owns, and the service answers them all", async () => {
  const system = await boot(defaultManifest(), { confined: false });
  const observer = await system.open(ipv4().udp().dstPort(7).grant, {
    observe: true,
  });
  const seen = await read(observer, 20);
  equal(seen.length, 20);
  for (const frame of seen) equal(frame[36]! << 8 | frame[37]!, 7);
  await rejects(
    system.open(ipv4().udp().dstPort(7).grant),
    /overlap/,
  );
  await observer[Symbol.asyncDispose]();
  const { services, pages } = await system.stop();
  const echo = services.find(({ name }) => name === "udp-echo")!;
  const [capability] = echo.capabilities;
  ok(capability!.deliveredPackets >= 20);
  equal(capability!.sentPackets, capability!.deliveredPackets);
  deepEqual(capability!.drops, {});
  equal(pages.free, pages.total);
});

Deno.test("a receiver with a lifetime ends by itself, and what it had can be had again", async () => {
  const system = await boot(defaultManifest(), { confined: false });
  const grant = ipv4().udp().dstPort(9).grant;
  const receiver = await system.open(grant, { lifetimeMs: 500 });
  await rejects(system.open(grant), RefusedError);
  await rejects(
    system.open(ipv4().udp().dstPort(10).grant, { lifetimeMs: -1 }),
    /positive number of milliseconds/,
  );
  for await (const _packet of receiver);
  await receiver[Symbol.asyncDispose]();
  await system.open(grant);
  const { pages } = await system.stop();
  equal(pages.free, pages.total);
});

Deno.test("a receiver sees its own account, what a rate limit dropped among it, until it is closed", async () => {
  const frame = new Uint8Array(60).fill(0x55);
  const sent = Array.from({ length: 40 }, () => frame);
  const limit = { packetsPerSecond: 0.001 };
  await withReceiver(sent, { limit }, async (receiver, system) => {
    await system.ended;
    const { drops, ...counts } = await receiver.account();
    // A burst is one packet here, and what the rate gives in a test is none.
    deepEqual(drops, { "rate-limit": 39 });
    deepEqual(counts, {
      heldPages: 0,
      quotaPages: 64,
      deliveredPackets: 1,
      deliveredBytes: 60,
      sentPackets: 0,
      sentBytes: 0,
    });
    equal((await read(receiver, 1)).length, 1);
    await receiver[Symbol.asyncDispose]();
    await rejects(receiver.account(), /closed/);
  });
});

Deno.test("a limit that makes no sense is refused where it is given, by its name", async () => {
  await withReceiver([], {}, async (_receiver, system) => {
    for (
      const [limit, message] of [
        [{}, /^TypeError: limit: expected a limit such as .*, got one that/],
        [7, /^TypeError: limit: expected a limit such as .*, got 7$/],
        [
          { packetsPerSecond: 0 },
          /^TypeError: limit\.packetsPerSecond: expected a number above 0 .*, got 0$/,
        ],
      ] as const
    ) {
      await rejects(
        system.open(ipv4().udp().grant, { limit: limit as object }),
        message,
      );
    }
  });
});
