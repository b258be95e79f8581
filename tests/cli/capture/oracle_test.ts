/** `sallyport capture` against tcpdump, on the same captures. */

import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { buildArp, buildIcmp, buildUdp } from "../../arbitraries/frames.ts";
import { expressionArbitrary } from "../../arbitraries/expressions.ts";
import { linkedFrame } from "../../arbitraries/linked_frames.ts";
import type { LinkType } from "../../../services/wire/link_type.ts";
import {
  arpRepr,
  bits,
  bytesUpTo,
  ethernetRepr,
  plainIpv4Repr,
} from "../../arbitraries/reprs.ts";
import {
  type PlainPacket,
  readCapture,
  writeCapture,
} from "../../drivers/capture/captures.ts";
import { testWith, whyMissing } from "../../needs.ts";
import { runsOf, testProperty } from "../../property.ts";
import { knownDifference } from "../../services/filter/language/known_differences.ts";
import { runProgram, runSallyport } from "../sallyport.ts";

const TCPDUMP = "tool:tcpdump";
const file = import.meta.url;

/** LINKTYPE_… as captures have them. */
const LINK_TYPES: Readonly<Record<LinkType, number>> = {
  ethernet: 1,
  raw: 101,
  null: 0,
  loop: 108,
  sll: 113,
  sll2: 276,
};

/** A capture of a link type, its packets a microsecond apart, some cut short. */
function captureOf(
  link: LinkType,
  frame: fc.Arbitrary<Uint8Array<ArrayBuffer>>,
): fc.Arbitrary<PlainPacket[]> {
  const packet = fc.tuple(
    frame,
    fc.constantFrom(0, 0, 0, 1, 40, 1000),
    fc.nat(200),
  );
  return fc.array(packet, { minLength: 24, maxLength: 24 }).map((packets) =>
    packets.map(([bytes, beyond, cut], index) => ({
      bytes: beyond === 1 ? bytes.slice(0, cut) : bytes,
      originalLength: bytes.length + beyond,
      seconds: 1_700_000_000,
      nanoseconds: index * 1000,
      linkType: LINK_TYPES[link],
    }))
  );
}

/** Runs `body` with a folder that is removed afterwards. */
async function withFolder(
  body: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = Deno.makeTempDirSync({ prefix: "sallyport" });
  // tcpdump gives up root before it opens what it writes.
  Deno.chmodSync(folder, 0o777);
  try {
    await body(folder);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

function save(
  folder: string,
  format: "pcap" | "pcapng",
  packets: readonly PlainPacket[],
): string {
  const path = `${folder}/in.${format}`;
  const linkType = packets[0]!.linkType;
  Deno.writeFileSync(path, writeCapture(format, packets, { linkType }));
  return path;
}

function timesIn(path: string): number[] {
  return readCapture(Deno.readFileSync(path)).packets.map(({ nanoseconds }) =>
    nanoseconds
  );
}

if (whyMissing(TCPDUMP) !== undefined) {
  testWith([TCPDUMP], "sallyport capture against tcpdump", () => {});
} else {
  const linkArbitrary = fc.constantFrom<LinkType>(
    ...["ethernet", "ethernet", "ethernet", "raw"] as const,
    ...["sll", "sll2", "null", "loop"] as const,
  );
  let compared = 0;

  testProperty(
    "capture takes the packets that tcpdump takes, whatever the filter and the link",
    { runs: 30, file },
    fc.asyncProperty(
      linkArbitrary.chain((link) =>
        fc.tuple(fc.constant(link), captureOf(link, linkedFrame(link)))
      ),
      fc.constantFrom("pcap" as const, "pcapng" as const),
      // tcpdump never ends on a chain of headers that leads back into itself.
      expressionArbitrary.filter((text) => !text.includes("protochain")),
      ([link, packets], format, text) =>
        withFolder(async (folder) => {
          const path = save(folder, format, packets);
          const [ours, theirs] = [`${folder}/ours.pcap`, `${folder}/theirs`];
          // Its optimiser takes loads away that reject short packets (-O).
          const [us, them] = await Promise.all([
            runSallyport(["capture", "-r", path, "-w", ours, "--", text]),
            runProgram("tcpdump", ["-O", "-r", path, "-w", theirs, "--", text]),
          ]);
          if (us.code !== 0 || them.code !== 0) {
            equal(us.code, us.code === 0 ? 0 : 2, us.err);
            const bothRefuse = us.code !== 0 && them.code !== 0;
            const said = them.err.split("\n").find((line) =>
              line.startsWith("tcpdump: ")
            ) ?? "";
            ok(
              bothRefuse || knownDifference({
                text,
                link,
                ours: us.code === 0 ? undefined : us.err,
                theirs: them.code === 0
                  ? undefined
                  : said.replace(/^tcpdump: /, ""),
              }),
              `${text}: ${us.err}; ${them.err}`,
            );
            return;
          }
          deepEqual(timesIn(ours), timesIn(theirs), `${link}: ${text}`);
          compared++;
        }),
    ),
  );

  Deno.test({
    name:
      "a good part of the filters is one that tcpdump and capture both take",
    ignore: Deno.env.has("SALLYPORT_PATH") || runsOf(30) < 30,
    fn: () => ok(compared >= 8, `only ${compared}`),
  });

  /** Ports behind which tcpdump looks for no other protocol. */
  const port = fc.integer({ min: 30001, max: 30400 });
  const untagged = (etherType: number) =>
    ethernetRepr(etherType).map((ethernet) => ({ ...ethernet, tags: [] }));
  const wholeFrame = fc.oneof(
    fc.tuple(untagged(0x0806), arpRepr(), fc.constantFrom(1, 2)).map(
      ([ethernet, arp, operation]) => buildArp(ethernet, { ...arp, operation }),
    ),
    fc.tuple(
      untagged(0x0800),
      plainIpv4Repr(0, 1),
      fc.record({
        kind: fc.constantFrom("echo-request" as const, "echo-reply" as const),
        identifier: bits(16),
        sequence: bits(16),
        payload: bytesUpTo(64),
      }),
    ).map(([ethernet, ipv4, icmp]) => buildIcmp(ethernet, ipv4, icmp)),
    fc.tuple(
      untagged(0x0800),
      plainIpv4Repr(0, 17),
      fc.record({
        sourcePort: port,
        destinationPort: port,
        checksummed: fc.boolean(),
        payload: bytesUpTo(64),
      }),
    ).map(([ethernet, ipv4, udp]) => buildUdp(ethernet, ipv4, udp)),
  );

  testProperty(
    "capture prints ARP, ICMP echo and UDP as tcpdump does, times, numbers and bytes included",
    { runs: 4, file },
    fc.asyncProperty(
      fc.array(fc.tuple(wholeFrame, fc.nat(0x7fffffff), fc.nat(999_999_999)), {
        minLength: 1,
        maxLength: 60,
      }),
      fc.constantFrom("", "-t", "-tt", "-tttt"),
      fc.constantFrom("UTC", "Asia/Kolkata", "America/New_York"),
      fc.constantFrom("-X", "-XX", "-x", "-xx", "-A", "-AA"),
      (entries, time, TZ, dump) =>
        withFolder(async (folder) => {
          const packets = entries.map(([bytes, seconds, nanoseconds]) => ({
            ...{ bytes, seconds, nanoseconds, linkType: 1 },
            originalLength: bytes.length,
          }));
          const path = save(folder, "pcap", packets);
          const flags = ["-n", "-#", dump, ...(time === "" ? [] : [time])];
          const [ours, theirs] = await Promise.all([
            runSallyport(["capture", ...flags, "-r", path], { env: { TZ } }),
            runProgram("tcpdump", [...flags, "-r", path], { TZ }),
          ]);
          equal(ours.out, theirs.out);
          equal(ours.err, "");
        }),
    ),
  );

  testProperty(
    "capture prints times between packets, nanoseconds and Ethernet headers as tcpdump does",
    { runs: 4, file },
    fc.asyncProperty(
      fc.array(fc.tuple(wholeFrame, fc.nat(80_000), fc.nat(999_999_999)), {
        minLength: 1,
        maxLength: 60,
      }),
      fc.constantFrom("-ttt", "-ttttt", "-tt"),
      fc.constantFrom("nano", "micro"),
      (entries, time, precision) =>
        withFolder(async (folder) => {
          const packets = entries.map(([bytes, seconds, nanoseconds]) => ({
            ...{ bytes, nanoseconds, linkType: 1 },
            seconds: 1_700_000_000 + seconds,
            originalLength: bytes.length,
          }));
          const path = save(folder, "pcap", packets);
          const flags = ["-ne", time, `--time-stamp-precision=${precision}`];
          const [ours, theirs] = await Promise.all([
            runSallyport(["capture", ...flags, "-r", path]),
            runProgram("tcpdump", [...flags, "-r", path]),
          ]);
          equal(ours.out, theirs.out);
        }),
    ),
  );

  testWith(
    [TCPDUMP],
    "capture -C and -W write the files that tcpdump writes",
    () =>
      withFolder(async (folder) => {
        const packets = Array.from({ length: 130 }, (_, i) => ({
          bytes: new Uint8Array(50_000 + i * 7919 % 50_000).fill(i),
          originalLength: 100_000,
          seconds: 1_700_000_000 + i,
          nanoseconds: 0,
          linkType: 1,
        }));
        const path = save(folder, "pcap", packets);
        for (const limits of [["-C", "1"], ["-C", "1", "-W", "3"]]) {
          Deno.mkdirSync(`${folder}/ours`);
          Deno.mkdirSync(`${folder}/theirs`);
          Deno.chmodSync(`${folder}/theirs`, 0o777);
          const args = (
            where: string,
          ) => ["-r", path, "-w", `${folder}/${where}/out.pcap`, ...limits];
          const [ours, theirs] = await Promise.all([
            runSallyport(["capture", ...args("ours")]),
            runProgram("tcpdump", args("theirs")),
          ]);
          equal(ours.code + theirs.code, 0, ours.err + theirs.err);
          const filesIn = (where: string) =>
            [...Deno.readDirSync(`${folder}/${where}`)].map(({ name }) => ({
              name,
              packets: readCapture(
                Deno.readFileSync(`${folder}/${where}/${name}`),
              ).packets,
            })).sort((a, b) => a.name < b.name ? -1 : 1);
          deepEqual(filesIn("ours"), filesIn("theirs"));
          ok(filesIn("ours").length >= 3);
          Deno.removeSync(`${folder}/ours`, { recursive: true });
          Deno.removeSync(`${folder}/theirs`, { recursive: true });
        }
      }),
  );

  testProperty(
    "capture -X prints the bytes that tcpdump prints, on every link",
    { runs: 8, file },
    fc.asyncProperty(
      fc.constantFrom<LinkType>(
        ...["ethernet", "raw", "sll", "sll2", "null", "loop"] as const,
      ).chain((link) =>
        fc.tuple(
          fc.constant(link),
          fc.array(bytesUpTo(70), { minLength: 1, maxLength: 30 }),
        )
      ),
      ([link, payloads]) =>
        withFolder(async (folder) => {
          const packets = payloads.map((payload) => {
            const bytes = udpOn(link, payload);
            return {
              ...{ bytes, originalLength: bytes.length },
              ...{ seconds: 0, nanoseconds: 0, linkType: LINK_TYPES[link] },
            };
          });
          const path = save(folder, "pcap", packets);
          const [ours, theirs] = await Promise.all([
            runSallyport(["capture", "-qtX", "-r", path]),
            runProgram("tcpdump", ["-nqtX", "-r", path]),
          ]);
          const dumpOf = (text: string) =>
            text.split("\n").filter((line) => line.startsWith("\t"));
          deepEqual(dumpOf(ours.out), dumpOf(theirs.out));
          ok(dumpOf(ours.out).length >= packets.length * 2);
          // We name the VLAN, and of an interface its number.
          const differs = link === "ethernet" || link === "sll2";
          if (!differs) equal(ours.out, theirs.out);
        }),
    ),
  );

  testWith(
    [TCPDUMP],
    "what capture -w writes, pcap and pcapng, tcpdump reads",
    () =>
      withFolder(async (folder) => {
        const [packets] = fc.sample(
          captureOf("sll2", linkedFrame("sll2")),
          { numRuns: 1, seed: 7 },
        );
        const path = save(folder, "pcap", packets!);
        for (const name of ["out.pcap", "out.pcapng", "out"]) {
          const args = ["-r", path, "-w", `${folder}/${name}`, "-c", "10"];
          equal((await runSallyport(["capture", ...args])).out, "");
          const { out, err } = await runProgram("tcpdump", [
            ...["--count", "-r", `${folder}/${name}`],
          ]);
          equal(out, "10 packets\n");
          ok(err.includes("link-type LINUX_SLL2"), err);
        }
      }),
  );
}

/** A datagram from 10.0.0.1 to 10.0.0.2 behind a link's header. */
function udpOn(
  link: LinkType,
  payload: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const headers: Record<LinkType, readonly number[]> = {
    ethernet: [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x81, 0, 0, 7, 8, 0],
    raw: [],
    null: [2, 0, 0, 0],
    loop: [0, 0, 0, 2],
    sll: [0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 8, 0],
    sll2: [8, 0, 0, 0, 0, 0, 0, 9, 0, 1, 4, 6, 2, 0, 0, 0, 0, 1, 0, 0],
  };
  const length = 8 + payload.length;
  return Uint8Array.from([
    ...headers[link],
    ...[0x45, 0, 0, 20 + length, 0, 1, 0, 0, 64, 17, 0, 0],
    ...[10, 0, 0, 1, 10, 0, 0, 2],
    ...[0x75, 0x31, 0x75, 0x32, 0, length, 0, 0],
    ...payload,
  ]);
}
