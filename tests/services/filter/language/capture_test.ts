/**
 * Filter texts on what tcpdump captured of kernels that talk to each other: the
 * packets are real, and tcpdump counts them too.
 */

import { delay } from "@std/async/delay";
import { match, ok, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { openCaptureFile } from "../../../../drivers/capture/file.ts";
import { openCapture } from "../../../../drivers/capture/format.ts";
import { compileText } from "../../../../services/filter/language/compile.ts";
import { matchesText } from "../../../../services/filter/language/interpret.ts";
import type { LinkType } from "../../../../services/wire/link_type.ts";
import { expressionArbitrary } from "../../../arbitraries/expressions.ts";
import { testWith } from "../../../needs.ts";
import {
  INTERFACE,
  makeNamespacePair,
  type Namespace,
  NETNS_NEEDS,
  RIGHT_ADDRESS,
} from "../../../netns.ts";
import { LIBPCAP, Libpcap } from "../../../oracles/libpcap.ts";
import { runsOf } from "../../../property.ts";
import { compareOn } from "./comparison.ts";
import { tryCommand } from "../../../command.ts";

/** Of the random texts: always the same, the packets are not. */
const SEED = 20;
const LEFT_IP6 = "fd00:77::1";
const RIGHT_IP6 = "fd00:77::3";

/** Texts that tcpdump counts too. Each matches some of what is captured. */
const TEXTS = [
  "arp",
  "icmp",
  `ip6 and dst net ${RIGHT_IP6}/128`,
  "icmp6[icmp6type] = icmp6-echo",
  "ip6 multicast",
  "udp dst port 53",
  "tcp[tcpflags] & (tcp-syn|tcp-ack) = tcp-syn",
  "tcp[tcpflags] & tcp-rst != 0",
  `src host ${RIGHT_ADDRESS}`,
  "net 10.77.0.0/24 and not icmp",
  "ip[6:2] & 0x1fff != 0",
  "ip[6] & 0x20 != 0 and icmp[icmptype] = icmp-echo",
  "greater 1000 or less 60",
  "portrange 50-90",
] as const;

const ETHERNET_TEXTS = [
  "ether broadcast",
  "ether multicast and not ether broadcast",
  "ether proto \\ip6 and not udp",
] as const;

const COOKED_TEXTS = ["outbound and icmp", "inbound", "ifindex 2"] as const;

/** Gives the interface IPv6, which the namespaces come without. */
async function addIp6(space: Namespace, address: string): Promise<void> {
  const disabled = `net.ipv6.conf.${INTERFACE}.disable_ipv6=0`;
  await space.run("sysctl", "-q", "-w", disabled);
  const words = ["ip", "-6", "address", "add", `${address}/64`];
  await space.run(...words, "dev", INTERFACE, "nodad");
}

/** Starts tcpdump and waits until it captures. Returns how to end it. */
async function capture(
  space: Namespace,
  device: string,
  file: string,
): Promise<() => Promise<void>> {
  const words = ["tcpdump", "-Z", "root", "--immediate-mode", "-U"];
  const child = space.spawn([...words, "-i", device, "-w", file], {
    stdout: "null",
    stderr: "piped",
  });
  const reader = child.stderr.getReader();
  let said = "";
  while (!said.includes("listening on")) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`tcpdump ended: ${said}`);
    said += new TextDecoder().decode(value);
  }
  return async () => {
    child.kill("SIGINT");
    await child.status;
    await reader.cancel();
  };
}

/** Makes the left kernel talk to the right one, in many protocols. */
async function talk(left: Namespace): Promise<void> {
  const ping = ["ping", "-n", "-c", "2", "-i", "0.2", "-W", "1"];
  await left.run(...ping, RIGHT_ADDRESS);
  await left.run(...ping, "-s", "4000", RIGHT_ADDRESS);
  await left.run(...ping, RIGHT_IP6);
  const connect = (path: string) =>
    left.try("bash", "-c", `echo hello > /dev/${path}`);
  await connect(`udp/${RIGHT_ADDRESS}/53`);
  await connect(`tcp/${RIGHT_ADDRESS}/80`);
}

function framesOf(file: string): Uint8Array<ArrayBuffer>[] {
  using opened = openCaptureFile(file);
  const reader = openCapture(opened.chunks);
  const frames: Uint8Array<ArrayBuffer>[] = [];
  for (let p = reader.next(); p !== undefined; p = reader.next()) {
    strictEqual(p.length, p.originalLength);
    frames.push(Uint8Array.from(p.bytes.subarray(p.start, p.start + p.length)));
  }
  return frames;
}

/** Whether the answer to the last packet sent is in a file. */
function isComplete(file: string, linkType: LinkType): boolean {
  const last = compileText("tcp[tcpflags] & tcp-rst != 0", { linkType });
  return framesOf(file).some((frame) => matchesText(last, frame));
}

/** Waits for `condition`, ten seconds at most. */
async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; !condition(); tries++) {
    ok(tries < 200, "tcpdump did not write what was sent");
    await delay(50);
  }
}

/** How many packets of a file tcpdump says that a text matches. */
async function countOf(file: string, text: string): Promise<number> {
  const words = ["tcpdump", "-n", "-r", file, "--count", text];
  const { stdout, stderr } = await tryCommand(words);
  const said = stdout + stderr;
  match(said, /\d+ packets?/);
  return Number(/(\d+) packets?/.exec(said)![1]);
}

async function compareCounts(
  file: string,
  linkType: LinkType,
  texts: readonly string[],
): Promise<void> {
  const frames = framesOf(file);
  for (const text of texts) {
    const program = compileText(text, { linkType });
    const ours = frames.filter((frame) => matchesText(program, frame)).length;
    strictEqual(ours, await countOf(file, text), `${linkType}: ${text}`);
    ok(ours > 0, `nothing in the capture matches ${text}`);
  }
}

testWith(
  [
    ...NETNS_NEEDS,
    `library:${LIBPCAP}`,
    "tool:tcpdump",
    "tool:ping",
    "tool:bash",
  ],
  "texts match of real captures what tcpdump and libpcap match of them",
  async () => {
    const folder = await Deno.makeTempDir({ prefix: "sp-filter-" });
    try {
      const [plain, cooked] = [`${folder}/plain.pcap`, `${folder}/cooked.pcap`];
      {
        await using pair = await makeNamespacePair();
        await addIp6(pair.left, LEFT_IP6);
        await addIp6(pair.right, RIGHT_IP6);
        const ends = [
          await capture(pair.right, INTERFACE, plain),
          await capture(pair.right, "any", cooked),
        ];
        await talk(pair.left);
        await until(() => isComplete(plain, "ethernet"));
        await until(() => isComplete(cooked, "sll2"));
        for (const end of ends) await end();
      }
      await compareCounts(plain, "ethernet", [...TEXTS, ...ETHERNET_TEXTS]);
      await compareCounts(cooked, "sll2", [...TEXTS, ...COOKED_TEXTS]);
      using libpcap = new Libpcap();
      const numRuns = runsOf(150);
      const texts = fc.sample(expressionArbitrary, { numRuns, seed: SEED });
      const netmask = undefined;
      for (const text of texts) {
        const seed = text.length;
        const [ethernet, sll2] = [framesOf(plain), framesOf(cooked)];
        compareOn(libpcap, {
          link: "ethernet",
          text,
          frames: ethernet,
          seed,
          netmask,
          steers: 1,
        });
        compareOn(libpcap, {
          link: "sll2",
          text,
          frames: sll2,
          seed,
          netmask,
          steers: 1,
        });
      }
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);

testWith(
  ["linux", "tool:tcpdump"],
  "a text means of loopback captures what tcpdump makes of them",
  async () => {
    const folder = await Deno.makeTempDir({ prefix: "sp-filter-" });
    try {
      for (const [linkType, number] of [["null", 0], ["loop", 108]] as const) {
        const frames = [2, 10, 24, 28, 30, 0].map((family) => {
          const header = linkType === "null"
            ? [family, 0, 0, 0]
            : [0, 0, 0, family];
          return Uint8Array.from([...header, 0x60, ...new Array(59).fill(0)]);
        });
        const file = `${folder}/${linkType}.pcap`;
        await Deno.writeFile(file, pcapOf(number, frames));
        for (const text of ["ip", "ip6", "ip or ip6", "ip6 net ::/0"]) {
          const program = compileText(text, { linkType, savefile: true });
          const ours = frames.filter((frame) => matchesText(program, frame));
          strictEqual(ours.length, await countOf(file, text), text);
          ok(ours.length > 0);
        }
      }
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);

/** A little-endian capture file (pcap-savefile(5)) of whole packets. */
function pcapOf(linkType: number, packets: readonly Uint8Array[]): Uint8Array {
  const words = (...values: number[]) =>
    new Uint8Array(new Uint32Array(values).buffer);
  const parts = [
    words(0xa1b2c3d4, 0x0004_0002, 0, 0, 65_535, linkType),
    ...packets.flatMap((
      packet,
    ) => [words(0, 0, packet.length, packet.length), packet]),
  ];
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}
