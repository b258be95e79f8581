/** Captures as NICs and of NICs, with tshark as the judge. */

import assert from "node:assert/strict";
import { DEFAULT_MANIFEST } from "../../services/manifest/manifest.ts";
import { testWith } from "../needs.ts";
import { snapshotIn, up } from "./up_process.ts";
import { runCommand } from "../command.ts";

const MAC = "02:53:0a:4d:00:02";

/** What tshark says of a checksum. */
const GOOD = "1";
const ABSENT = "3";

/** A folder that goes with `await using`. */
async function makeFolder() {
  const path = await Deno.makeTempDir();
  return {
    file: (name: string) => `${path}/${name}`,
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}

function tshark(...args: string[]): Promise<string> {
  return runCommand(["tshark", "-n", ...args]);
}

interface Exchange {
  /** Whose: the peer's questions, or our answers. */
  readonly ours: boolean;
  /** What tells one question from another, its payload included. */
  readonly key: string;
}

/** The pings, or the datagrams, of a capture, in order. All checksums must be right. */
async function exchanges(
  path: string,
  protocol: "icmp" | "udp",
): Promise<Exchange[]> {
  const fields = protocol === "icmp"
    ? ["icmp.ident", "icmp.seq", "data.data"]
    : ["udp.length", "udp.payload"];
  const filter = protocol === "icmp"
    ? `icmp && ip.addr == 10.77.0.2 && (icmp.type == 8 || icmp.type == 0)`
    : `udp.port == 7 && ip.addr == 10.77.0.2`;
  const checks = ["ip.checksum.status", `${protocol}.checksum.status`];
  const text = await tshark(
    ...[
      "-r",
      path,
      "-Y",
      `(${filter}) && (eth.src == ${MAC} || eth.dst == ${MAC})`,
    ],
    ...["-o", "ip.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE"],
    ...["-T", "fields", "-E", "separator=|", "-e", "eth.src"],
    ...[...checks, ...fields].flatMap((field) => ["-e", field]),
  );
  return text.split("\n").filter((line) => line !== "").map((line) => {
    const [from, ip, inner, ...key] = line.split("|");
    const ours = from === MAC;
    if (ours) {
      assert.equal(ip, GOOD, line);
      // An answer has a checksum if its question had one.
      assert.ok(inner === GOOD || inner === ABSENT, line);
    }
    return { ours, key: key.join("|") };
  });
}

/** Every question has its answer, after it, in the order of the questions. */
function checkAnswered(all: readonly Exchange[], spare: number): void {
  const asked = all.filter(({ ours }) => !ours).map(({ key }) => key);
  const answered = all.filter(({ ours }) => ours).map(({ key }) => key);
  assert.ok(asked.length > 10, `${asked.length} questions`);
  assert.ok(answered.length >= asked.length - spare);
  assert.deepEqual(answered, asked.slice(0, answered.length));
  let open = 0;
  for (const { ours } of all) {
    open += ours ? -1 : 1;
    assert.ok(open >= 0, "an answer comes before its question");
  }
}

for (const format of ["pcap", "pcapng"]) {
  testWith(
    ["tool:tshark"],
    `what --write leaves is ${format} with every question and every answer in order; replayed, it is answered again`,
    async () => {
      await using folder = await makeFolder();
      const written = folder.file(`written.${format}`);
      const first = await up(["--for", "1s", "--json", "--write", written]);
      assert.equal(first.err, "");
      for (const protocol of ["icmp", "udp"] as const) {
        checkAnswered(await exchanges(written, protocol), 0);
      }
      const { nic } = snapshotIn(first);
      const frames = await tshark(
        "-r",
        written,
        "-T",
        "fields",
        "-e",
        "eth.type",
      );
      assert.equal(
        frames.split("\n").length - 1,
        nic.receivedPackets + nic.sentPackets,
      );

      const questions = folder.file(`questions.${format}`);
      await tshark(
        "-r",
        written,
        "-Y",
        `eth.src != ${MAC}`,
        "-F",
        format,
        "-w",
        questions,
      );
      const manifest = folder.file("manifest.json");
      await Deno.writeTextFile(manifest, JSON.stringify(roomy()));
      for (const pace of ["at-once", "recorded"]) {
        const again = folder.file(`again-${pace}.${format}`);
        const result = await up([
          ...["--manifest", manifest, "--nic", `pcap:${questions}`],
          ...["--pace", pace, "--json", "--write", again],
        ]);
        assert.equal(result.err, "");
        assert.equal(result.code, 0);
        const replayed = snapshotIn(result);
        assert.equal(replayed.nic.ended, true);
        assert.equal(replayed.nic.receivedPackets, nic.receivedPackets);
        assert.equal(replayed.pages.free, replayed.pages.total);
        for (const protocol of ["icmp", "udp"] as const) {
          checkAnswered(await exchanges(again, protocol), 0);
        }
      }
    },
  );
}

/** The usual services, with pages for all of a short capture at once. */
function roomy() {
  const services = Object.entries(DEFAULT_MANIFEST.services).map(
    ([name, service]) => [name, {
      ...service,
      quotaPages: 1000,
      copyBytesMax: 0,
    }],
  );
  return { ...DEFAULT_MANIFEST, services: Object.fromEntries(services) };
}

Deno.test("a capture that ends within a packet is replayed as far as it goes, and the run fails and says where it ends", async () => {
  await using folder = await makeFolder();
  for (const format of ["pcap", "pcapng"]) {
    const whole = folder.file(`whole.${format}`);
    const first = await up(["--for", "500ms", "--json", "--write", whole]);
    assert.equal(first.err, "");
    const cut = folder.file(`cut.${format}`);
    const bytes = await Deno.readFile(whole);
    await Deno.writeFile(cut, bytes.subarray(0, bytes.length - 40));
    const { code, out, err } = await up([
      ...["--nic", `pcap:${cut}`, "--pace", "at-once"],
    ]);
    assert.match(
      err,
      /^sallyport: pcap:.*\/cut\.pcap(ng)?: the capture ends within [^\n]*\n$/,
    );
    assert.equal(code, 1);
    const { receivedPackets, sentPackets } = snapshotIn(first).nic;
    const left = receivedPackets + sentPackets - 1;
    assert.match(out, new RegExp(`\nran .*: ${left} packets in`));
  }
});
