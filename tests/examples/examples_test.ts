/** Each example runs with the permissions that its first line states, and no more. */

import { equal, match } from "node:assert/strict";
import fc from "fast-check";
import { type ChildOutput, denoRun } from "../child.ts";
import { arpFrame, icmpFrame, ipv6Frame } from "../arbitraries/frames.ts";
import { linesAbout, writeCapture } from "../services/wire/capture_file.ts";
import { testWith } from "../needs.ts";
import { up } from "../system/up_process.ts";

const FOLDER = new URL("../../examples/", import.meta.url);

/** Runs an example as its first line says. */
async function runExample(
  name: string,
  ...args: string[]
): Promise<ChildOutput> {
  const file = new URL(name, FOLDER);
  const [first = ""] = Deno.readTextFileSync(file).split("\n");
  const command = /^\/\/ deno run ((?:--\S+ )*)examples\/(\w+\.ts)/.exec(first);
  equal(command?.[2], name);
  const flags = command[1]!.split(" ").filter((flag) => flag !== "");
  const output = await denoRun([...flags, file.pathname, ...args]);
  equal(output.code, 0, output.errors);
  return output;
}

Deno.test("every example has at most 60 lines and is run here", () => {
  const names = [...Deno.readDirSync(FOLDER)].map(({ name }) => name).sort();
  equal(
    names.join(),
    "allowed_sender.ts,answer_pings.ts,ask_and_send.ts,broadcast_nic.ts,dns_who_am_i.ts,find_a_bug.ts,replay_filter.ts,three_places.ts,ticket_service.ts,two_systems.ts,watch_capability.ts",
  );
  for (const name of names) {
    const lines = Deno.readTextFileSync(new URL(name, FOLDER)).split("\n");
    equal(lines.length - 1 <= 60, true, `${name} has ${lines.length - 1}`);
  }
});

Deno.test("answer_pings answers every ping that comes in", async () => {
  const { lines } = await runExample("answer_pings.ts");
  match(lines[0]!, /^arp: \d+ in, \d+ out: .*arp/);
  const service = /^ping: (\d+) in, (\d+) out: .*icmp\[0\] = 8/.exec(lines[1]!);
  equal(service?.[1], service?.[2]);
  const last = /^10\.77\.0\.2\/24 answered (\d+) of (\d+) pings$/.exec(
    lines.at(-1)!,
  );
  equal(Number(last?.[1]) > 0, true, lines.at(-1));
});

Deno.test("ask_and_send sends what it was allowed, as datagrams that the wire takes", async () => {
  const { lines } = await runExample("ask_and_send.ts");
  const line = (length: number) =>
    `IP 10.77.0.2.9 > 10.77.0.9.50000: UDP, length ${length}`;
  equal(
    lines.join("\n"),
    [...Array(5).fill(line(1400)), line(0)].join("\n"),
  );
});

Deno.test("broadcast_nic runs a system on a NIC of its own", async () => {
  const { lines } = await runExample("broadcast_nic.ts");
  equal(lines.join(), "up on emulated");
});

Deno.test("dns_who_am_i is run by the command in its first line", async () => {
  const [first] = Deno.readTextFileSync(new URL("dns_who_am_i.ts", FOLDER))
    .split("\n");
  const words = /^\/\/ deno task sallyport up (--service) '(.*)'$/.exec(first!);
  const { code, err } = await up([...words!.slice(1), "--for", "1s"]);
  equal(code, 0, err);
  equal(err, "");
});

Deno.test("three_places answers every ping, wherever its service runs", async () => {
  for (const place of ["worker", "process", "driver"]) {
    const { lines } = await runExample("three_places.ts", place);
    const last = /^in place (\w+): answered (\d+) of (\d+) pings$/.exec(
      lines.at(-1)!,
    );
    equal(last?.[1], place);
    equal(Number(last?.[2]) > 0, true, lines.at(-1));
  }
});

Deno.test("watch_capability prints ten packets of its capability and of no other", async () => {
  const { lines } = await runExample("watch_capability.ts");
  equal(
    lines[0],
    "the packets of: udp dst portrange 8-65535 and dst host 10.77.0.2",
  );
  equal(lines.length, 11);
  for (const line of lines.slice(1)) {
    const packet =
      /^IP 10\.77\.0\.1\.\d+ > 10\.77\.0\.2\.(\d+): UDP, length \d+$/
        .exec(line);
    equal(Number(packet?.[1]) >= 8, true, line);
  }
});

Deno.test("two_systems answer each other's pings", async () => {
  const { lines } = await runExample("two_systems.ts");
  const answers = lines.map((line) => line.replace(/: ICMP echo reply.*$/, ""));
  equal(answers.join(), "IP 10.77.0.3 > 10.77.0.2,IP 10.77.0.2 > 10.77.0.3");
});

Deno.test("find_a_bug finds the bug of ticket_service: one customer, one duplicate", async () => {
  const { lines } = await runExample("find_a_bug.ts");
  equal(
    lines[0],
    'two tickets for one: [[1],[{"from":"test","frame":0,"kind":"duplication","lateUs":1}]]',
  );
  const gives = lines.filter((line) => / tickets +gives IP /.test(line));
  equal(gives.length, 2);
});

testWith(
  ["tool:tcpdump"],
  "replay_filter takes as many packets as tcpdump with the same filter",
  async () => {
    const frames = fc.sample(
      fc.oneof(arpFrame(), icmpFrame(), ipv6Frame()),
      60,
    );
    const path = writeCapture(frames);
    try {
      const { lines } = await runExample("replay_filter.ts", path);
      const filter = lines[0]!.replace("filter: ", "");
      const taken = linesAbout(
        frames,
        (path) => ["tcpdump", "-nn", "-tt", "-r", path, filter],
      ).filter((line) => line.startsWith("0.000000 ")); // not what continues one
      equal(lines.length, taken.length + 2);
      equal(lines.at(-1), `${taken.length} of ${frames.length} packets`);
    } finally {
      Deno.removeSync(path);
    }
  },
);

Deno.test("replay_filter says which file is no capture", async () => {
  const { code, errors } = await denoRun([
    "--allow-read",
    new URL("replay_filter.ts", FOLDER).pathname,
    "/nowhere.pcap",
  ]);
  equal(code, 1);
  match(errors, /\/nowhere\.pcap/);
});
