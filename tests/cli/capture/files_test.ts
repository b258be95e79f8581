/** No file that a user has is lost, and every name of a file is the file. */

import { deepEqual, equal, match } from "node:assert/strict";
import { DEFAULT_MANIFEST } from "../../../services/manifest/manifest.ts";
import { readCapture, writeCapture } from "../../drivers/capture/captures.ts";
import { commandOf, runCommand } from "../../command.ts";
import { testWith } from "../../needs.ts";
import { runSallyport, sallyport, sallyportWords } from "../sallyport.ts";

const PACKET = {
  // An ARP request.
  bytes: Uint8Array.fromHex(
    "ffffffffffff02000000000108060001080006040001020000000001" +
      "0a4d00010000000000000a4d0002" + "00".repeat(18),
  ),
  originalLength: 60,
  seconds: 1_700_000_000,
  nanoseconds: 0,
  linkType: 1,
};
const CAPTURE = writeCapture(
  "pcap",
  [1, 2, 3].map((i) => ({ ...PACKET, seconds: i })),
  { unit: "us" },
);

async function withFolder(
  body: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = Deno.makeTempDirSync({ prefix: "sallyport" });
  Deno.writeFileSync(`${folder}/a.pcap`, CAPTURE);
  try {
    await body(folder);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

/** Runs a shell's line in `folder`, `sallyport` being the command line as users run it. */
async function shell(folder: string, line: string) {
  const words = sallyportWords([]).map((word) => `'${word}'`).join(" ");
  const script = `sallyport() { ${words} "$@"; }; ${line}`;
  const { code, stdout, stderr } = await commandOf(["bash", "-c", script], {
    cwd: folder,
    stdin: "null",
  }).output();
  return { code, out: stdout, err: new TextDecoder().decode(stderr) };
}

testWith(
  ["linux", "tool:bash", "tool:mkfifo"],
  "a file is never written while it is read, whatever it is called",
  () =>
    withFolder(async (folder) => {
      Deno.symlinkSync("a.pcap", `${folder}/link.pcap`);
      Deno.linkSync(`${folder}/a.pcap`, `${folder}/hard.pcap`);
      Deno.symlinkSync(".", `${folder}/here`);
      Deno.writeTextFileSync(
        `${folder}/m.json`,
        JSON.stringify({ ...DEFAULT_MANIFEST, nic: "pcap:a.pcap" }),
      );
      const lines = [
        "sallyport capture -r a.pcap -w ./a.pcap",
        "sallyport capture -r a.pcap -w link.pcap",
        "sallyport capture -r link.pcap -w hard.pcap",
        "sallyport capture -r here/a.pcap -w here/here/link.pcap",
        "sallyport capture -r - -w link.pcap < a.pcap",
        "sallyport capture -r /dev/stdin -w a.pcap < hard.pcap",
        "ln -s /dev/fd/0 in; sallyport capture -r in -w a.pcap < hard.pcap",
        "sallyport capture -r //proc/./self/fd/0 -w a.pcap < hard.pcap",
        "sallyport capture -r a.pcap -w - >> hard.pcap",
        "sallyport capture -i pcap:a.pcap -w hard.pcap",
        "sallyport up --nic pcap:a.pcap --pace at-once --write link.pcap",
        "sallyport up --manifest m.json --write m.json",
      ];
      const ends = await Promise.all(lines.map((line) => shell(folder, line)));
      ends.forEach(({ code, err }, i) => {
        match(err, /^sallyport: .* name the same file, /, lines[i]);
        equal(code, 2, lines[i]);
      });
      deepEqual(Deno.readFileSync(`${folder}/a.pcap`), CAPTURE);
    }),
);

testWith(
  ["linux", "tool:bash", "tool:mkfifo"],
  "a file that rotation comes upon while it is read is left alone",
  () =>
    withFolder(async (folder) => {
      const many = Array.from({ length: 100 }, () => PACKET);
      const bytes = writeCapture("pcap", many);
      Deno.writeFileSync(`${folder}/out1`, bytes);
      const { code, err } = await shell(
        folder,
        "sallyport capture -r out1 -w out -C 1k",
      );
      match(err, /cannot write out1: it is read at the same time/);
      equal(code, 1);
      deepEqual(Deno.readFileSync(`${folder}/out1`), bytes);
    }),
);

testWith(
  ["linux", "tool:bash", "tool:mkfifo"],
  "what goes wrong before the first packet costs no file",
  () =>
    withFolder(async (folder) => {
      const lines = [
        "sallyport capture -r nothing.pcap -w a.pcap",
        "sallyport capture -r /etc/passwd -w a.pcap",
        "sallyport capture -i packet:nosuch -w a.pcap",
        "sallyport capture -i emulated -w a.pcap tcp prt 80",
        "sallyport capture -i emulated -w a.pcap inbound",
        "sallyport up --nic pcap:nothing.pcap --write a.pcap",
        "sallyport up --nic packet:nosuch --write a.pcap",
      ];
      const ends = await Promise.all(lines.map((line) => shell(folder, line)));
      ends.forEach(({ code, err }, i) => {
        equal(code === 0, false, `${lines[i]}: ${err}`);
        equal(err.includes("capturing on"), false, err);
      });
      deepEqual(Deno.readFileSync(`${folder}/a.pcap`), CAPTURE);
    }),
);

testWith(
  ["linux", "tool:bash", "tool:tcpdump"],
  "-w - writes to standard output, for tcpdump to read as it comes",
  () =>
    withFolder(async (folder) => {
      const lines = [
        "sallyport capture -r a.pcap -w - | tcpdump -tt -n -r -",
        "sallyport capture -r - -w /dev/stdout < a.pcap | tcpdump -tt -n -r -",
        "sallyport capture -i emulated -w - | tcpdump -c 3 -n -r -",
        "sallyport up --nic emulated --for 3s --write - | tcpdump -c 3 -n -r -",
      ];
      const ends = await Promise.all(lines.map((line) => shell(folder, line)));
      ends.forEach(({ out, err }, i) => {
        const text = new TextDecoder().decode(out);
        equal(
          text.trimEnd().split("\n").length,
          3,
          `${lines[i]}: ${text}${err}`,
        );
      });
      match(ends[3]!.err, /up on emulated/);
    }),
);

testWith(
  ["linux", "tool:bash", "tool:mkfifo"],
  "a FIFO is read as standard input is, and has its header before the first packet",
  () =>
    withFolder(async (folder) => {
      await runCommand(["mkfifo", `${folder}/in`, `${folder}/out`]);
      const child = sallyport(
        ["capture", "-r", `${folder}/in`, "-w", `${folder}/out`],
        { stdin: "null" },
      ).spawn();
      const writer = await Deno.open(`${folder}/in`, { write: true });
      await writer.write(CAPTURE.subarray(0, 24));
      const reader = await Deno.open(`${folder}/out`);
      const header = new Uint8Array(1000);
      equal(await reader.read(header), 24);
      deepEqual(readCapture(header.subarray(0, 24)).packets, []);
      await writer.write(CAPTURE.subarray(24));
      const rest = new Uint8Array(1000);
      equal(await reader.read(rest), CAPTURE.length - 24);
      writer.close();
      equal((await child.output()).code, 0);
      reader.close();
    }),
);

testWith(
  ["linux", "tool:bash", "tool:mkfifo"],
  "SIGINT ends a capture that waits for a FIFO's other end",
  () =>
    withFolder(async (folder) => {
      await runCommand(["mkfifo", `${folder}/fifo`]);
      for (
        const args of [
          ["-r", `${folder}/fifo`],
          ["-r", `${folder}/a.pcap`, "-w", `${folder}/fifo`],
        ]
      ) {
        const line = sallyportWords(["capture", ...args])
          .map((word) => `'${word}'`).join(" ");
        // Until it waits, an interrupt would only end it as a program that starts.
        const { code } = await shell(
          folder,
          `${line} & for i in $(seq 100); do sleep 0.1; kill -INT $! 2>/dev/null || break; done; wait $!`,
        );
        equal([0, 130].includes(code), true, String(code));
      }
    }),
);

testWith(
  ["linux", "tool:bash", "tool:gzip"],
  "bash's <(…) is read, packed or not",
  () =>
    withFolder(async (folder) => {
      const { out, err } = await shell(
        folder,
        "sallyport capture --count -r <(cat a.pcap); sallyport capture --count -r <(gzip -c a.pcap)",
      );
      const text = new TextDecoder().decode(out);
      equal(text, "3 packets matched of 3\n".repeat(2), err);
    }),
);

testWith(
  ["linux", "tool:bash", "tool:mkfifo"],
  "a reader that goes away: silent for standard output, named for a FIFO",
  () =>
    withFolder(async (folder) => {
      const many = Array.from({ length: 20_000 }, () => PACKET);
      Deno.writeFileSync(`${folder}/many.pcap`, writeCapture("pcap", many));
      const silent = await shell(
        folder,
        "set -o pipefail; sallyport capture -r many.pcap -w - | head -c 30 > /dev/null",
      );
      equal(silent.err, "");
      equal(silent.code, 0);
      // Nobody reads from the start on: even the header is for nobody.
      const never = await shell(
        folder,
        "set -o pipefail; sallyport capture -r many.pcap -w - | true",
      );
      equal(never.err, "");
      equal(never.code, 0);
      const named = await shell(
        folder,
        "mkfifo fifo; head -c 30 fifo > /dev/null & sallyport capture -r many.pcap -w fifo",
      );
      equal(
        named.err,
        "sallyport: capture: cannot write fifo: its reader has gone\n",
      );
      equal(named.code, 1);
    }),
);

testWith(
  ["linux", "tool:bash", "tool:mkfifo"],
  "what Deno opens nothing of is answered with what to name instead",
  () =>
    withFolder(async (folder) => {
      const { code, err } = await shell(
        folder,
        "sallyport capture -r a.pcap -w /dev/full",
      );
      match(err, /cannot write \/dev\/full: .*- is standard output/);
      equal(code, 1);
    }),
);

testWith(
  ["linux", "tool:bash", "tool:mkfifo"],
  "a full disk behind standard output is a failure, said in one line",
  () =>
    withFolder(async (folder) => {
      for (
        const [line, what] of [
          [
            "sallyport capture -r a.pcap > /dev/full",
            "write to standard output",
          ],
          [
            "sallyport capture -r a.pcap -w - > /dev/full",
            "write standard output",
          ],
        ]
      ) {
        const { code, err } = await shell(folder, line!);
        match(
          err,
          new RegExp(
            `^sallyport: (capture: )?cannot ${what}: No space left on device.*\\n$`,
          ),
        );
        equal(code, 1);
      }
      const { code } = await shell(
        folder,
        "sallyport capture -r no.pcap 2> /dev/full",
      );
      equal(code, 1);
    }),
);

Deno.test("a packet that is lost to a file's end, or odd, is told", async () => {
  const odd = CAPTURE.slice();
  new DataView(odd.buffer).setUint32(24 + 4, 3_000_000, true);
  const { out, err } = await runSallyport(["capture", "-tt", "-r", "-"], {
    input: odd,
  });
  match(out, /^4\.000000 /);
  equal(out.split("\n").length, 3 + 1);
  match(
    err,
    /at byte 28: found a time of 3000000 µs past a second; .*carried over\n$/,
  );
});

Deno.test("a time that pcap cannot hold is written with the nearest, and told", async () => {
  const input = writeCapture("pcapng", [
    PACKET,
    { ...PACKET, seconds: 2 ** 32 + 5 },
  ]);
  const path = Deno.makeTempFileSync({ suffix: ".pcap" });
  try {
    const args = ["capture", "-r", "-", "-w", path];
    const { code, err } = await runSallyport(args, { input });
    match(
      err,
      /pcap cannot hold the time of a packet, .*packet 2, of 4294967301 seconds/,
    );
    equal(code, 0);
  } finally {
    Deno.removeSync(path);
  }
});

testWith(
  ["linux", "tool:bash"],
  "filter and manifest are read from standard input too, by each of its names",
  () =>
    withFolder(async (folder) => {
      Deno.symlinkSync("/proc/self/fd/0", `${folder}/in`);
      const manifest = JSON.stringify(DEFAULT_MANIFEST);
      for (const name of ["-", "/dev/stdin", "in"]) {
        const [all, none, up] = await Promise.all([
          shell(
            folder,
            `sallyport capture -r a.pcap --count -F ${name} <<< arp`,
          ),
          shell(
            folder,
            `sallyport capture -r a.pcap --count -F ${name} <<< udp`,
          ),
          shell(
            folder,
            `sallyport up --manifest ${name} --picture <<< '${manifest}'`,
          ),
        ]);
        const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
        equal(text(all.out), "3 packets matched of 3\n", all.err);
        equal(text(none.out), "0 packets matched of 3\n", none.err);
        equal(up.code, 0, up.err);
      }
      const both = await shell(
        folder,
        "sallyport capture -r - -F /dev/stdin < a.pcap",
      );
      match(both.err, /-r and -F both want standard input/);
      equal(both.code, 2);
      const replay = await shell(folder, "sallyport up --nic pcap:- < a.pcap");
      match(replay.err, /pcap:-: is no regular file; .* sallyport capture -r/);
    }),
);
