import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { testWith } from "../../needs.ts";
import { type PlainPacket, readCapture, writeCapture } from "./captures.ts";
import { tryCommand } from "../../command.ts";

/** Ethernet frames that dissectors leave in peace, of all paddings. */
const packets: PlainPacket[] = Array.from({ length: 40 }, (_, i) => {
  const bytes = Uint8Array.from({ length: 60 + i * 31 }, (_, at) => at * i);
  bytes.set([0x88, 0xb5], 12);
  return {
    bytes,
    originalLength: i % 5 === 0 ? 2000 : bytes.length,
    seconds: 1_700_000_000 + i * 1000,
    nanoseconds: i * 24_999_999,
    linkType: 1,
  };
});

async function run(program: string, ...args: string[]): Promise<string> {
  const words = [program, ...args];
  const { code, stdout, stderr } = await tryCommand(words);
  strictEqual(code, 0, `${words.join(" ")}: ${stderr}`);
  ok(!/cut short|damaged|corrupt|truncated dump/.test(stderr), stderr);
  return stdout;
}

async function withFolder(body: (folder: string) => Promise<void>) {
  const folder = await Deno.makeTempDir({ prefix: "sallyport-pcap-" });
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** What tshark says of each packet: time, captured and original length. */
async function tsharkLines(path: string): Promise<string[]> {
  const fields = ["frame.time_epoch", "frame.cap_len", "frame.len"];
  const args = fields.flatMap((field) => ["-e", field]);
  const text = await run("tshark", "-n", "-r", path, "-T", "fields", ...args);
  return text.trim().split("\n");
}

/** Lines that say what we read. `tshark -T fields` prints the epoch with nine decimals. */
function ourLines(packets: readonly PlainPacket[], unit: number): string[] {
  return packets.map((packet) => {
    const nanoseconds = packet.nanoseconds - packet.nanoseconds % unit;
    const fraction = String(nanoseconds).padStart(9, "0");
    const lengths = `${packet.bytes.length}\t${packet.originalLength}`;
    return `${packet.seconds}.${fraction}\t${lengths}`;
  });
}

/** The bytes of every packet, as `tcpdump -xx` prints them. */
async function tcpdumpBytes(path: string): Promise<string[]> {
  const text = await run("tcpdump", "-n", "-t", "-xx", "-r", path);
  const packets: string[] = [];
  for (const line of text.split("\n")) {
    const hex = /^\t0x([0-9a-f]+): {2}([0-9a-f ]+)/.exec(line);
    if (hex === null) continue;
    if (hex[1] === "0000") packets.push("");
    packets[packets.length - 1] += hex[2]!.replaceAll(" ", "");
  }
  return packets;
}

const toHex = (bytes: Uint8Array) => bytes.toHex();

const kinds = [
  { format: "pcap", littleEndian: true, unit: "us" },
  { format: "pcap", littleEndian: false, unit: "ns" },
  { format: "pcap", littleEndian: true, unit: "ns" },
  { format: "pcapng", littleEndian: true, unit: "ns" },
  { format: "pcapng", littleEndian: false, unit: "ns" },
] as const;

for (const { format, ...options } of kinds) {
  const order = options.littleEndian ? "little" : "big";
  testWith(
    ["tool:tshark", "tool:tcpdump", "tool:capinfos"],
    `tshark, tcpdump and capinfos read our ${format} (${order}-endian, ${options.unit})`,
    () =>
      withFolder(async (folder) => {
        const path = `${folder}/ours.${format}`;
        await Deno.writeFile(path, writeCapture(format, packets, options));
        const unit = options.unit === "us" ? 1000 : 1;
        deepStrictEqual(await tsharkLines(path), ourLines(packets, unit));
        deepStrictEqual(
          await tcpdumpBytes(path),
          packets.map((packet) => toHex(packet.bytes)),
        );
        const infos = await run("capinfos", "-c", "-E", "-M", path);
        ok(/Number of packets: *40\b/.test(infos), infos);
        ok(/encapsulation: *ether\b/i.test(infos), infos);
      }),
  );
}

for (const format of ["pcap", "nsecpcap", "pcapng"]) {
  testWith(
    ["tool:editcap", "tool:tshark"],
    `we read the ${format} that editcap and tshark write`,
    () =>
      withFolder(async (folder) => {
        const ours = `${folder}/ours.pcapng`;
        await Deno.writeFile(ours, writeCapture("pcapng", packets));
        const commented = `${folder}/commented.pcapng`;
        // Options on packets, which we pass over.
        await run("editcap", "-a", "3:a comment", ours, commented);
        const theirs = `${folder}/theirs`;
        await run("editcap", "-F", format, commented, theirs);
        const saved = `${folder}/saved`;
        await run("tshark", "-n", "-r", theirs, "-F", format, "-w", saved);
        const unit = format === "pcap" ? 1000 : 1;
        for (const path of [theirs, saved]) {
          const read = readCapture(await Deno.readFile(path), 1000);
          strictEqual(read.warning, undefined);
          deepStrictEqual(
            read.packets,
            packets.map((packet) => ({
              ...packet,
              nanoseconds: packet.nanoseconds - packet.nanoseconds % unit,
            })),
          );
        }
      }),
  );
}

testWith(
  ["tool:mergecap", "tool:tshark"],
  "we read what mergecap makes of captures with different interfaces and link types",
  () =>
    withFolder(async (folder) => {
      const paths = [1, 101, 1].map((linkType, i) => {
        const path = `${folder}/${i}.pcap`;
        const mine = packets.filter((_, at) => at % 3 === i);
        const unit = i === 2 ? "us" : "ns";
        Deno.writeFileSync(
          path,
          writeCapture("pcap", mine, { linkType, unit }),
        );
        return path;
      });
      const merged = `${folder}/merged.pcapng`;
      await run("mergecap", "-F", "pcapng", "-w", merged, ...paths);
      const read = readCapture(await Deno.readFile(merged));
      deepStrictEqual(ourLines(read.packets, 1), await tsharkLines(merged));
      deepStrictEqual(
        read.packets.map((packet) => toHex(packet.bytes)),
        packets.map((packet) => toHex(packet.bytes)),
      );
      deepStrictEqual(
        read.packets.map((packet) => packet.linkType),
        packets.map((_, at) => at % 3 === 1 ? 101 : 1),
      );
    }),
);
