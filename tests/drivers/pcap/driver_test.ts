import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import { concat } from "@std/bytes/concat";
import {
  batchAt,
  makePacketMemory,
  RECEIVE_BATCH_OFFSET,
  SEND_BATCH_OFFSET,
} from "../../../caps/memory/memory.ts";
import { testWith } from "../../needs.ts";
import {
  captureDriver,
  withCapture,
} from "../../../drivers/middleware/capture.ts";
import {
  type CaptureOutput,
  createCaptureFile,
} from "../../../drivers/capture/file.ts";
import { makePcapWriter } from "../../../drivers/capture/writer.ts";
import { openPcap, type PcapOptions } from "../../../drivers/pcap/driver.ts";
import { testDriver } from "../../conformance/driver.ts";
import { emulatedRig } from "../emulated/rig.ts";
import {
  type PlainPacket,
  readCapture,
  writeCapture,
} from "../capture/captures.ts";

function plain(bytes: Uint8Array, atUs = 0): PlainPacket {
  return {
    bytes,
    originalLength: bytes.length,
    seconds: 1_700_000_000 + Math.floor(atUs / 1e6),
    nanoseconds: atUs % 1e6 * 1000,
    linkType: 1,
  };
}

/** A temporary file, and how to remove it. */
function temporary(suffix: string, bytes?: Uint8Array) {
  const path = Deno.makeTempFileSync({ prefix: "sallyport-", suffix });
  if (bytes !== undefined) Deno.writeFileSync(path, bytes);
  return { path, [Symbol.dispose]: () => Deno.removeSync(path) };
}

for (const format of ["pcap", "pcapng"] as const) {
  testDriver(`replay of ${format}`, (arrivals) => {
    const packets = arrivals.map((frame) => plain(frame));
    const file = temporary(`.${format}`, writeCapture(format, packets));
    const output = temporary(`.${format}`);
    const memory = makePacketMemory(64);
    const driver = openPcap({
      path: file.path,
      writePath: output.path,
      memory,
      pace: "at-once",
      ringFrames: 16,
    });
    let collected = 0;
    return {
      driver,
      memory,
      inject: () => {},
      collect: () => {
        const all = readCapture(Deno.readFileSync(output.path)).packets;
        const fresh = all.slice(collected).map((packet) => packet.bytes);
        collected = all.length;
        return fresh;
      },
      [Symbol.asyncDispose]: () => {
        driver[Symbol.dispose]();
        file[Symbol.dispose]();
        output[Symbol.dispose]();
        return Promise.resolve();
      },
    };
  }, { file: import.meta.url, runs: 40, ends: true });
}

testDriver("captured", () => {
  const output = temporary(".pcapng");
  const rig = emulatedRig((driver, { memory }) =>
    withCapture(driver, memory, output.path)
  );
  return {
    ...rig,
    [Symbol.asyncDispose]: async () => {
      await rig[Symbol.asyncDispose]();
      output[Symbol.dispose]();
    },
  };
}, { file: import.meta.url, runs: 30 });

function replay(
  bytes: Uint8Array,
  options: Partial<PcapOptions> = {},
  suffix = ".pcap",
) {
  const file = temporary(suffix, bytes);
  try {
    const memory = makePacketMemory(64);
    const { path } = file;
    const driver = openPcap({ path, memory, pace: "at-once", ...options });
    driver.provide(Uint32Array.from({ length: 32 }, (_, i) => i), 32);
    return { driver, memory, batch: batchAt(memory, RECEIVE_BATCH_OFFSET) };
  } finally {
    file[Symbol.dispose]();
  }
}

Deno.test("a replay at its recorded pace follows the clock that it is given", () => {
  let nowUs = 5_000_000;
  const times = [250, 250, 1000, 900, 2_000_250];
  const { driver, batch } = replay(
    writeCapture("pcap", times.map((at) => plain(new Uint8Array(60), at))),
    { pace: "recorded", now: () => nowUs },
  );
  using _ = driver;
  const arrived = [0, 1, 748, 1, 1_999_249, 1].map((us) => {
    nowUs += us;
    return driver.receive(batch, 32);
  });
  deepStrictEqual(arrived, [2, 0, 0, 2, 0, 1]);
  strictEqual(driver.ended, true);
});

Deno.test("a replay waits until the next packet is due", async () => {
  const { driver, batch } = replay(
    writeCapture(
      "pcapng",
      [0, 30_000].map((at) => plain(new Uint8Array(60), at)),
    ),
    { pace: "recorded" },
    ".pcapng",
  );
  using _ = driver;
  let received = 0;
  while (received < 2) {
    await driver.wait(2 ** 31);
    received += driver.receive(batch, 32);
  }
});

Deno.test("packets of another link between Ethernet frames are passed over and counted", () => {
  const frames = [60, 61, 62, 63].map((size) => plain(new Uint8Array(size)));
  const [first, second, ...others] = frames;
  // A section of the file has the link that it says.
  const sections = [
    writeCapture("pcapng", [first!]),
    writeCapture("pcapng", [second!, second!], { linkType: 101 }),
    writeCapture("pcapng", others),
  ];
  const { driver, batch } = replay(concat(sections), {}, ".pcapng");
  using _ = driver;
  strictEqual(driver.receive(batch, 32), 3);
  deepStrictEqual([...batch.length.slice(0, 3)], [60, 62, 63]);
  strictEqual(driver.counters()["rx-link-type"], 2);
});

Deno.test("what cannot arrive on a NIC is passed over and counted", () => {
  const sizes = [0, 60, 3841, 3840, 0];
  const { driver, batch } = replay(
    writeCapture("pcap", [
      ...sizes.map((size) => plain(new Uint8Array(size))),
      { ...plain(new Uint8Array(40)), originalLength: 99 },
    ]),
  );
  using _ = driver;
  strictEqual(driver.receive(batch, 32), 3);
  deepStrictEqual([...batch.length.slice(0, 3)], [60, 3840, 40]);
  const counters = driver.counters();
  strictEqual(counters["rx-empty"], 2);
  strictEqual(counters["rx-oversize"], 1);
  strictEqual(counters["capture-cut-short"], 1);
  strictEqual(driver.warning, undefined);
});

Deno.test("openPcap() says in one line why a file cannot be replayed", () => {
  const raw = writeCapture("pcap", [plain(new Uint8Array(40))], {
    linkType: 101,
  });
  throws(
    () => replay(raw),
    /^Error: pcap:.*: its packets are RAW \(IP without Ethernet\), link type 101; only captures of Ethernet/,
  );
  throws(() => replay(new Uint8Array(9)), /pcap:.*: capture: at byte 0: found/);
  const memory = makePacketMemory(16);
  throws(
    () => openPcap({ path: "/nowhere/x.pcap", memory, pace: "at-once" }),
    /capture: cannot read \/nowhere\/x.pcap: there is no such file/,
  );
  throws(
    () => replay(writeCapture("pcap", []), { writePath: "/nowhere/y.pcap" }),
    /cannot write \/nowhere\/y.pcap: there is no such folder/,
  );
});

Deno.test("a capture that breaks off ends with a warning, after what was sound", () => {
  const sound = writeCapture("pcap", [
    plain(new Uint8Array(60)),
    plain(new Uint8Array(60)),
  ]);
  const cut = replay(sound.subarray(0, sound.length - 10));
  strictEqual(cut.driver.receive(cut.batch, 32), 1);
  strictEqual(cut.driver.ended, true);
  ok(cut.driver.warning?.includes("ends within a packet"));
  cut.driver[Symbol.dispose]();
  const broken = sound.slice();
  broken.fill(0xff, sound.length - 68, sound.length - 64);
  const lied = replay(broken);
  strictEqual(lied.driver.receive(lied.batch, 32), 1);
  strictEqual(lied.driver.ended, true);
  ok(lied.driver.warning?.includes("a captured length of 4294967295"));
  lied.driver[Symbol.dispose]();
});

for (const suffix of [".pcap", ".pcapng"]) {
  Deno.test(`a capture of a NIC (${suffix}) has what crossed it, both ways, and the time`, async () => {
    using output = temporary(suffix);
    await using rig = emulatedRig((driver, { memory }) =>
      captureDriver(driver, {
        memory,
        output: createCaptureFile(output.path),
        now: () => 1_700_000_000_123_456,
      })
    );
    const { driver, memory } = rig;
    driver.provide(Uint32Array.of(0, 1), 2);
    await rig.inject([new Uint8Array(60).fill(1), new Uint8Array(61).fill(2)]);
    const arrived = batchAt(memory, RECEIVE_BATCH_OFFSET);
    strictEqual(driver.receive(arrived, 8), 2);
    const leaving = batchAt(memory, SEND_BATCH_OFFSET);
    leaving.offset[0] = arrived.offset[1]!;
    leaving.length[0] = 50;
    strictEqual(driver.transmit(leaving, 1), 1);
    await driver.wait(0);
    strictEqual(driver.counters()["capture-written"], 3);
    driver[Symbol.dispose]();
    const { packets, warning } = readCapture(Deno.readFileSync(output.path));
    strictEqual(warning, undefined);
    deepStrictEqual(
      packets.map(({ bytes }) => [bytes.length, bytes[0]]),
      [[60, 1], [61, 2], [50, 2]],
    );
    for (const packet of packets) {
      strictEqual(packet.seconds, 1_700_000_000);
      strictEqual(packet.nanoseconds, 123_456_000);
    }
  });
}

testWith(["linux"], "a full disk is known when the capture is made", () => {
  // Every write to /dev/full fails for want of space.
  const { driver, memory } = emulatedRig();
  strictEqual(withCapture(driver, memory, undefined), driver);
  throws(
    () => withCapture(driver, memory, "/dev/full"),
    /capture: cannot write \/dev\/full: No space left on device/,
  );
  strictEqual(driver.ended, true, "the driver is closed");
});

Deno.test("a file that cannot be written any more ends the capture, not the traffic", async () => {
  let failing = false;
  let closed = 0;
  const output: CaptureOutput = {
    writer: makePcapWriter(() => {
      if (failing) throw new Error("no space");
    }),
    [Symbol.dispose]: () => void closed++,
  };
  await using rig = emulatedRig((driver, { memory }) =>
    captureDriver(driver, { memory, output })
  );
  const { driver, memory } = rig;
  const batch = batchAt(memory, RECEIVE_BATCH_OFFSET);
  driver.provide(Uint32Array.of(0, 1, 2), 3);
  for (const step of [0, 1, 2]) {
    failing = step > 0;
    await rig.inject([new Uint8Array(60)]);
    strictEqual(driver.receive(batch, 8), 1);
    await driver.wait(0);
  }
  strictEqual(driver.counters()["capture-written"], 1);
  strictEqual(driver.counters()["capture-lost"], 2);
  driver[Symbol.dispose]();
  strictEqual(closed, 1);
});

Deno.test("a replay's clock starts with the first frame to receive into, not with the file", () => {
  let nowUs = 0;
  const times = [0, 1000, 2000];
  const bytes = writeCapture(
    "pcap",
    times.map((at) => plain(new Uint8Array(60), at)),
  );
  const file = temporary(".pcap", bytes);
  const memory = makePacketMemory(64);
  const batch = batchAt(memory, RECEIVE_BATCH_OFFSET);
  using driver = openPcap({
    path: file.path,
    memory,
    pace: "recorded",
    now: () => nowUs,
  });
  file[Symbol.dispose]();
  nowUs += 5_000_000;
  strictEqual(driver.receive(batch, 32), 0, "no frame to receive into");
  nowUs += 5_000_000;
  driver.provide(Uint32Array.of(0, 1, 2), 3);
  strictEqual(driver.receive(batch, 32), 1);
  nowUs += 999;
  strictEqual(driver.receive(batch, 32), 0);
  nowUs += 1;
  strictEqual(driver.receive(batch, 32), 1);
});

Deno.test("what a pause of the receiver made late is not made up in a burst", () => {
  let nowUs = 0;
  const times = [0, 1_000_000, 1_500_000, 2_000_000, 2_000_050];
  const { driver, batch } = replay(
    writeCapture("pcap", times.map((at) => plain(new Uint8Array(60), at))),
    { pace: "recorded", now: () => nowUs },
  );
  using _ = driver;
  const arrived = [0, 60_000_000, 499_999, 1, 500_000, 50].map((us) => {
    nowUs += us;
    return driver.receive(batch, 32);
  });
  deepStrictEqual(arrived, [1, 1, 0, 1, 1, 1]);
  strictEqual(driver.counters()["rx-late"], 1);
});

Deno.test("packets whose times go back are due with the one before, and make nothing late", () => {
  let nowUs = 0;
  const times = [0, 2_000_000, 500_000, 600_000, 2_100_000];
  const { driver, batch } = replay(
    writeCapture("pcap", times.map((at) => plain(new Uint8Array(60), at))),
    { pace: "recorded", now: () => nowUs },
  );
  using _ = driver;
  const arrived = [0, 1_999_999, 1, 99_999, 1].map((us) => {
    nowUs += us;
    return driver.receive(batch, 32);
  });
  deepStrictEqual(arrived, [1, 0, 3, 0, 1]);
  strictEqual(driver.counters()["rx-late"], 0);
});
