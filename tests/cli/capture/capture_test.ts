import { equal, match, ok, throws } from "node:assert/strict";
import { readCapturePlan } from "../../../cli/capture/options.ts";
import { hexDump } from "../../../cli/screen/hex_dump.ts";
import { UsageError } from "../../../cli/command/options.ts";
import {
  type PlainPacket,
  readCapture,
  writeCapture,
} from "../../drivers/capture/captures.ts";
import { testWith } from "../../needs.ts";
import { runSallyport, sallyport } from "../sallyport.ts";

/** ARP requests, each for another address, `count` of them in one microsecond. */
function requests(count: number): PlainPacket[] {
  return Array.from({ length: count }, (_, i) => ({
    bytes: Uint8Array.from([
      ...[0x02, 0x53, 0x0a, 0x4d, 0, 2, 2, 0, 0, 0, 0, 1, 8, 6],
      ...[0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 1, 10, 77, 0, 1],
      ...[0, 0, 0, 0, 0, 0, 10, 77, 0, i],
    ]),
    originalLength: 42,
    seconds: 1_700_000_000,
    nanoseconds: 0,
    linkType: 1,
  }));
}

function noFile(): never {
  throw new Error("no file is read");
}

async function withFile(
  bytes: Uint8Array,
  body: (path: string) => Promise<void>,
): Promise<void> {
  const path = Deno.makeTempFileSync({ prefix: "sallyport", suffix: ".pcap" });
  Deno.writeFileSync(path, bytes);
  try {
    await body(path);
  } finally {
    Deno.removeSync(path);
  }
}

const TEN = writeCapture("pcap", requests(10));
const HEADER_BYTES = 24;
const RECORD_BYTES = 16 + 42;

Deno.test("capture --count prints how many packets matched of how many, and nothing else", () =>
  withFile(TEN, async (path) => {
    const all = await runSallyport(["capture", "--count", "-r", path]);
    equal(all.out, "10 packets matched of 10\n");
    equal(all.err, "");
    const some = ["capture", "--count", "-r", path, "arp[27]", "<", "4"];
    equal((await runSallyport(some)).out, "4 packets matched of 10\n");
    const none = ["capture", "-r", path, "--count", "tcp", "or", "vlan"];
    equal((await runSallyport(none)).out, "0 packets matched of 10\n");
  }));

Deno.test("capture -c ends after so many packets that match, and composes with -w", () =>
  withFile(TEN, async (path) => {
    const output = `${path}.out`;
    const args = ["-r", path, "-c3", "-w", output, "arp[27] >= 2"];
    try {
      const { code, out, err } = await runSallyport(["capture", ...args]);
      equal(code + out + err, "0");
      const { packets } = readCapture(Deno.readFileSync(output));
      equal(packets.map(({ bytes }) => bytes[41]).join(), "2,3,4");
    } finally {
      Deno.removeSync(output);
    }
  }));

Deno.test("capture -w leaves a whole capture also where nothing matched", () =>
  withFile(TEN, async (path) => {
    const output = `${path}.pcapng`;
    try {
      await runSallyport(["capture", "-r", path, "-w", output, "tcp"]);
      equal(readCapture(Deno.readFileSync(output)).packets.length, 0);
    } finally {
      Deno.removeSync(output);
    }
  }));

Deno.test("capture filters by the length on the wire, and never reads beyond what was captured", async () => {
  const packets = requests(2).map((packet, index) => ({
    ...packet,
    originalLength: 42 + 1000 * index,
  }));
  const input = writeCapture("pcap", packets);
  for (const [text, matched] of [["greater 500", 1], ["ether[42] >= 0", 0]]) {
    const args = ["capture", "--count", "-r", "-", String(text)];
    const { out } = await runSallyport(args, { input });
    equal(out, `${matched} packets matched of 2\n`);
  }
});

Deno.test("capture reads standard input", async () => {
  const args = ["capture", "-t", "-#", "-r", "-", "arp[27]", "=", "7"];
  for (const format of ["pcap", "pcapng"] as const) {
    const input = writeCapture(format, requests(9));
    const { out } = await runSallyport(args, { input });
    equal(
      out,
      "    1  ARP, Request who-has 10.77.0.7 tell 10.77.0.1, length 28\n",
    );
  }
});

Deno.test("capture ends at a last record that is cut short with a warning and what was read", () =>
  withFile(
    TEN.subarray(0, HEADER_BYTES + 3 * RECORD_BYTES - 1),
    async (path) => {
      const { code, out, err } = await runSallyport(["capture", "-r", path]);
      equal(out.split("\n").length, 2 + 1);
      equal(
        err,
        `sallyport: the capture ends within a packet: at byte ${
          HEADER_BYTES + 2 * RECORD_BYTES
        } there are ${RECORD_BYTES - 1} bytes of ${RECORD_BYTES}\n`,
      );
      equal(code, 0);
    },
  ));

for (const lie of [262_145, 0x7fffffff, 0xffffffff]) {
  Deno.test(`capture refuses a packet of ${lie} bytes, after what came before it`, async () => {
    const bytes = TEN.slice();
    const at = HEADER_BYTES + 4 * RECORD_BYTES + 8;
    new DataView(bytes.buffer).setUint32(at, lie, true);
    await withFile(bytes, async (path) => {
      const { code, out, err } = await runSallyport(["capture", "-r", path]);
      equal(out.split("\n").length, 4 + 1);
      equal(
        err,
        `sallyport: capture: at byte ${at}: found a captured length of ${lie} bytes; expected at most 262144\n`,
      );
      equal(code, 1);
    });
  });
}

Deno.test("capture says in one line what is no capture, or is not there", async () => {
  const text = new TextEncoder().encode("this is not a capture at all");
  const { code, out, err } = await runSallyport(["capture", "-r", "-"], {
    input: text,
  });
  match(err, /^sallyport: capture: at byte 0: found the bytes .*\n$/);
  equal(code + out, "1");
  const missing = await runSallyport(["capture", "-r", "/nonexistent/x.pcap"]);
  match(missing.err, /^sallyport: capture: cannot read .*no such file\n$/);
  equal(missing.code, 1);
});

Deno.test("capture shows where a filter is wrong with a caret, status 2", () =>
  withFile(TEN, async (path) => {
    const args = ["capture", "-r", path, "tcp", "prt", "80"];
    const { code, out, err } = await runSallyport(args);
    const [message, quoted, caret] = err.split("\n");
    match(message!, /^sallyport: filter, column (\d+): .*expected/);
    const column = Number(/column (\d+)/.exec(message!)![1]);
    equal(quoted, "  tcp prt 80");
    equal(caret, `${" ".repeat(2 + column - 1)}^`);
    equal(code + out, "2");
  }));

Deno.test("capture refuses a filter that the capture's link type does not have, also of an empty capture", async () => {
  for (const packets of [requests(1), []]) {
    const input = writeCapture("pcap", packets);
    const { code, err } = await runSallyport(
      ["capture", "-r", "-", "inbound"],
      { input },
    );
    match(err, /^sallyport: filter, column 1: /);
    equal(code, 2);
  }
});

Deno.test("capture refuses filters beyond its limits", async () => {
  const words = Array<string>(14).fill("ip or ".repeat(20_000) + "ip or");
  const nested = "(".repeat(10_000) + "ip" + ")".repeat(10_000);
  for (const filter of [[...words, "ip"], [nested]]) {
    const args = ["capture", "-r", "-", "--", ...filter];
    const { code, err } = await runSallyport(args, { input: TEN });
    match(err, /^sallyport: filter, column \d+: /);
    ok(err.length < 500);
    equal(code, 2);
  }
});

Deno.test("capture prints of a replayed capture what it prints of the file", () =>
  withFile(TEN, async (path) => {
    const [file, nic] = await Promise.all([
      runSallyport(["capture", "-t", "-#", "-r", path]),
      runSallyport(["capture", "-t", "-#", "-i", `pcap:${path}`]),
    ]);
    equal(nic.out, file.out);
    match(nic.err, /10 packets matched of 10\n$/);
    equal(nic.code, 0);
  }));

Deno.test("capture takes packets from the emulated wire", async () => {
  const args = ["capture", "-i", "emulated", "-c", "2", "arp"];
  const { code, out, err } = await runSallyport(args);
  match(
    out,
    /^(\d\d:\d\d:\d\d\.\d{6} ARP, Request who-has 10\.77\.0\.2 tell .*\n){2}$/,
  );
  match(
    err,
    /^sallyport: capturing on emulated, link-type ETHERNET: its peer asks by ARP and gets no answer, .*\n2 packets matched of \d+\n$/,
  );
  equal(code, 0);
});

testWith(["linux"], "SIGINT ends a capture with its counts", async () => {
  const child = sallyport(["capture", "-t", "-r", "-"], { stdin: "piped" })
    .spawn();
  const writer = child.stdin.getWriter();
  await writer.write(TEN);
  let out = "";
  for await (const chunk of child.stdout.values({ preventCancel: true })) {
    out += new TextDecoder().decode(chunk);
    // Lines are printed while standard input is waited for.
    if (out.split("\n").length === 10 + 1) break;
  }
  child.kill("SIGINT");
  const err = await new Response(child.stderr).text();
  equal(err, "10 packets matched of 10\n");
  equal((await child.status).code, 0);
  await child.stdout.cancel();
  await writer.close().catch(() => {}); // its reader has closed it
});

testWith(
  ["linux"],
  "SIGINT ends a capture of a NIC with its counts",
  async () => {
    const child = sallyport(["capture", "-i", "emulated"], { stdin: "null" })
      .spawn();
    for await (const _ of child.stdout.values({ preventCancel: true })) break;
    child.kill("SIGINT");
    const err = await new Response(child.stderr).text();
    match(err, /\n(\d+) packets matched of \1\n$/);
    equal((await child.status).code, 0);
    await child.stdout.cancel();
  },
);

testWith(
  ["linux"],
  "a capture whose reader goes away ends, fine and silent",
  async () => {
    await withFile(
      writeCapture("pcap", manyRequests(200_000)),
      async (path) => {
        const child = sallyport(["capture", "-r", path], { stdin: "null" })
          .spawn();
        await child.stdout.cancel();
        equal(await new Response(child.stderr).text(), "");
        equal((await child.status).code, 0);
      },
    );
  },
);

function manyRequests(count: number): PlainPacket[] {
  const ten = requests(10);
  return Array.from({ length: count }, (_, i) => ten[i % 10]!);
}

Deno.test("the options of capture are tcpdump's: letters together, values apart or not", () => {
  const plan = readCapturePlan(
    ["-nn#qXttr", "x.pcap", "-c10", "tcp", "-w", "y", "port", "80"],
    noFile,
  )!;
  equal(JSON.stringify(plan.source), '{"kind":"file","path":"x.pcap"}');
  equal(
    JSON.stringify(plan.line),
    '{"snapBytes":262144,"numbers":true,"quiet":true,"linkHeader":false,' +
      '"dump":{"as":"hex-and-ascii","linkHeader":false},"time":"seconds",' +
      '"nanoseconds":false,"atOnce":false}',
  );
  equal(plan.countMax, 10);
  equal(plan.write!.path, "y");
  equal(plan.filter, "tcp port 80");
  equal(
    readCapturePlan(["-r-", "--", "-5", "<", "len"], noFile)!.filter,
    "-5 < len",
  );
});

for (
  const [args, problem] of [
    ["", "give -r FILE to read a capture, or -i NIC to make one"],
    ["-r a -i emulated", "give either -r or -i"],
    ["-r a -w a", '-r and -w name the same file, "a"'],
    ["-r a -r b", "-r is given twice; give it once"],
    ["-r a -w b --count", "--count writes nothing: leave out -w or --count"],
    ["-r a --coun", 'unknown option "--coun"; did you mean --count?'],
    ["-r a --count=3", "--count takes no value"],
    ["-r a -g", 'unknown option "-g"; --help lists the options'],
    ["-r a -c 0", '-c: expected how many packets, from 1, got "0"'],
    ["-r a -c", "-c needs a value: -c N"],
    ["-r a -tttttt", "-tttttt: expected -t to -ttttt"],
    [
      "-r a -nvp",
      "-p is not here: a NIC here receives for every Ethernet address; filter `ether host MAC or ether multicast`",
    ],
    [
      "-r a --no-promiscuous-mode",
      "-p is not here: a NIC here receives for every Ethernet address; filter `ether host MAC or ether multicast`",
    ],
    [
      "-r a --linktype=EN10MB",
      "-y is not here: Ethernet is the only link type of NICs",
    ],
    [
      "-r a --print",
      "--print is not here: write with -w, and print that file with -r",
    ],
    [
      "-r a --interface=emulated --no-optimize",
      "give either -r or -i",
    ],
    [
      "-r a -s 262145",
      '-s: expected how many bytes of a packet, up to 262144 (0 for that), got "262145"',
    ],
    ["-r a -C 1", "-C, -G and -W are about the file of -w: give -w FILE"],
    ["-r a -w - -C 1", "-C, -G and -W are about the file of -w: give -w FILE"],
    [
      "-r a -w b -W 2",
      "-W counts the files of -C or -G: give one of them",
    ],
    [
      "-r a -w b -C 0",
      '-C: expected millions of bytes, from 1, or with k, m or g, got "0"',
    ],
    [
      "-r a -w b -G 60",
      "-G needs the time in the name of -w, such as trace-%F-%H%M%S.pcap: each file would overwrite the one before",
    ],
    [
      "-r a -w b%Q -G 60",
      "-w: %Q is not one of %Y %y %m %d %H %M %S %F %T %s %%",
    ],
    ["-r a -Q in", "-Q is about packets of a NIC: leave it out, or give -i"],
    [
      "-i emulated -Q out",
      "-Q out: what leaves a NIC is not seen here; `sallyport up --write FILE.pcapng` captures what Sallyport sends and receives",
    ],
    ["-r a --nano=1", "--nano takes no value"],
    [
      "-r a --time-stamp-precision=ms",
      '--time-stamp-precision: expected micro or nano, got "ms"',
    ],
    ["-r a -F f tcp", '-F: the filter is in "f"; leave out "tcp"'],
    [
      "-i eth0",
      '-i: expected emulated, wire:NAME, xdp:IFNAME, packet:IFNAME, tap:NAME, tun:NAME, pcap:FILE or udp:LOCAL,PEER,key=FILE, got "eth0"; an interface is named with its driver, as xdp:eth1',
    ],
  ] as const
) {
  Deno.test(`capture ${args} is refused with what is wrong`, () => {
    throws(
      () =>
        readCapturePlan(args.split(" ").filter((word) => word !== ""), noFile),
      new UsageError(problem),
    );
  });
}

Deno.test("a dump has sixteen bytes a line, numbered from the first byte shown", () => {
  const bytes = Uint8Array.from({ length: 35 }, (_, i) => i + 0x60);
  equal(
    hexDump(bytes, 1, 34),
    "\t0x0000:  6162 6364 6566 6768 696a 6b6c 6d6e 6f70  abcdefghijklmnop\n" +
      "\t0x0010:  7172 7374 7576 7778 797a 7b7c 7d7e 7f80  qrstuvwxyz{|}~..\n" +
      "\t0x0020:  81                                       .\n",
  );
});
