/** `sallyport capture -i packet:…` sees the kernel's own packets, and the kernel has them too. */

import { deepEqual, equal, match, ok } from "node:assert/strict";
import { readCapture } from "../../drivers/capture/captures.ts";
import { testWith } from "../../needs.ts";
import {
  INTERFACE,
  makeNamespacePair,
  type Namespace,
  NETNS_NEEDS,
  RIGHT_ADDRESS,
} from "../../netns.ts";
import { sallyportWords } from "../sallyport.ts";

testWith(
  [...NETNS_NEEDS, "tool:ping"],
  "capture on a packet socket shows what arrives for the kernel, and the kernel answers it",
  async () => {
    await using pair = await makeNamespacePair();
    const { left, right } = pair;
    const nic = `packet:${INTERFACE}`;
    const words = sallyportWords([
      "capture",
      "-t",
      "-c",
      "2",
      "-i",
      nic,
      "icmp",
    ]);
    const child = right.spawn(words, { stdout: "piped", stderr: "null" });
    const out = new Response(child.stdout).text();
    let over = false;
    const ended = child.status.then((status) => {
      over = true;
      return status;
    });
    while (!over) await left.run("ping", "-c", "1", "-W", "2", RIGHT_ADDRESS);
    equal((await ended).code, 0);
    match(
      await out,
      /^(IP 10\.77\.0\.1 > 10\.77\.0\.3: ICMP echo request, id \d+, seq 1, length 64\n){2}$/,
    );
  },
);

/** Starts a capture of the right namespace's interface, which is open when this resolves. */
async function startCapture(right: Namespace, args: readonly string[]) {
  const words = sallyportWords([
    "capture",
    "-i",
    `packet:${INTERFACE}`,
    ...args,
  ]);
  const child = right.spawn(words, { stdout: "piped", stderr: "piped" });
  const errors = child.stderr.getReader();
  let said = "";
  while (!said.includes("capturing on")) {
    const { value, done } = await errors.read();
    if (done) throw new Error(said);
    said += new TextDecoder().decode(value);
  }
  errors.releaseLock();
  return { child, out: new Response(child.stdout).text() };
}

testWith(
  [...NETNS_NEEDS, "tool:ping"],
  "a packet has the time at which the kernel got it, not that of the reading",
  async () => {
    await using pair = await makeNamespacePair();
    const { left, right } = pair;
    const folder = Deno.makeTempDirSync({ prefix: "sallyport" });
    const filter = ["-c", "5", "icmp[icmptype]", "=", "icmp-echo"];
    const captures = [
      await startCapture(right, ["-tt", ...filter]),
      await startCapture(right, [
        "--nano",
        "-w",
        `${folder}/p.pcap`,
        ...filter,
      ]),
    ];
    // Nobody reads while the packets come: they wait in the kernel's ring.
    for (const { child } of captures) child.kill("SIGSTOP");
    await left.run("ping", "-c", "5", "-i", "0.2", RIGHT_ADDRESS);
    for (const { child } of captures) child.kill("SIGCONT");
    const [printed] = await Promise.all(captures.map(({ out }) => out));
    for (const { child } of captures) {
      await child.stderr.cancel();
      equal((await child.status).code, 0);
    }
    const written = readCapture(Deno.readFileSync(`${folder}/p.pcap`)).packets;
    Deno.removeSync(folder, { recursive: true });
    const seconds = printed!.trimEnd().split("\n")
      .map((line) => Number(line.split(" ")[0]));
    // ping waits at least that long, whatever else this machine does.
    ok(seconds[4]! - seconds[0]! > 0.5, printed);
    deepEqual(
      written.map((each) =>
        each.seconds + Math.floor(each.nanoseconds / 1000) / 1e6
      ),
      seconds,
      "the kernel's time is one, whoever reads",
    );
  },
);

testWith(
  [...NETNS_NEEDS, "tool:ping"],
  "ip broadcast goes by the interface's own mask, and is refused where there is none",
  async () => {
    await using pair = await makeNamespacePair();
    const { left, right } = pair;
    // Of a /16: 10.77.255.255 is its broadcast address, 10.77.0.255 a host's.
    for (
      const [side, address] of [[left, "10.78.0.1"], [
        right,
        "10.78.0.3",
      ]] as const
    ) {
      await side.run("ip", "address", "flush", "dev", INTERFACE);
      await side.run("ip", "address", "add", `${address}/16`, "dev", INTERFACE);
    }
    const { child, out } = await startCapture(right, [
      "-t",
      "-c",
      "1",
      "ip",
      "broadcast",
    ]);
    const pings = ["10.78.0.255", "10.78.255.255"].map((address) =>
      left.try("ping", "-b", "-c", "1", "-W", "1", address)
    );
    await Promise.all(pings);
    match(await out, /^IP 10\.78\.0\.1 > 10\.78\.255\.255: ICMP echo request/);
    await child.stderr.cancel();
    equal((await child.status).code, 0);
    await right.run("ip", "address", "flush", "dev", INTERFACE);
    const words = sallyportWords(
      ["capture", "-i", `packet:${INTERFACE}`, "ip", "broadcast"],
    );
    const refused = await right.try(...words);
    match(
      refused.stderr,
      /`ip broadcast` depends on the network's mask, which is not known/,
    );
    equal(refused.code, 2);
  },
);
