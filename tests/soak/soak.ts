/** Runs a soak: a system under all that a day brings, sampled, and judged at its end. */

import { delay } from "@std/async/delay";
import type { Counts } from "../../caps/driver/accounts.ts";
import { parseIpv4Address } from "../../services/wire/address.ts";
import { makeRealClock } from "../../services/runtime/clock.ts";
import { LinkRunner } from "../../services/peer/runner.ts";
import {
  INTERFACE,
  makeNamespacePair,
  type Namespace,
  type NamespacePair,
} from "../netns.ts";
import { makeCrowd } from "./crowd.ts";
import {
  DESCRIPTOR_GROWTH_MAX,
  type Findings,
  judge,
  type Sample,
} from "./judge.ts";
import { SocketLink } from "./socket_link.ts";
import { linesOf } from "../lines.ts";
import type { Said } from "./system_process.ts";
import { commandOf } from "../command.ts";

/** How long, and on what. */
export interface SoakOptions {
  /** `xdp` is on a veth between namespaces of its own; `emulated` needs no privilege. */
  readonly nic: "xdp" | "emulated";
  readonly forMs: number;
  /** From one sample to the next. */
  readonly everyMs: number;
  /** How long the failing service lives each time. */
  readonly lifeMs: number;
  /** Told of every sample. */
  readonly onSample: (moment: Moment) => void;
}

/** A sample, with what was said of it. */
export interface Moment {
  readonly sample: Sample;
  readonly said: Said;
  /** What the crowd counted. */
  readonly crowd: Counts;
  /** What was dropped on the way, by who counted it. */
  readonly dropped: Counts;
}

/** What came of a soak. */
export interface Outcome {
  readonly last: Moment;
  readonly findings: Findings;
}

const ADDRESS = "10.77.0.2/24";
const SEED = 11;
const FALL_LOOKS = 100;
const FALL_LOOK_MS = 50;
const PROCESS = new URL("./system_process.ts", import.meta.url).pathname;
const CONFIG = new URL("../../deno.json", import.meta.url).pathname;

/** Runs it to its end. @throws when the system ends before. */
export async function soak(options: SoakOptions): Promise<Outcome> {
  await using pair = options.nic === "xdp"
    ? await makeNamespacePair()
    : undefined;
  using owned = new DisposableStack();
  const child = spawn(options, pair?.right);
  await using _child = {
    async [Symbol.asyncDispose]() {
      try {
        child.kill("SIGKILL");
      } catch {
        // It has ended.
      }
      await child.status;
    },
  };
  const link = pair && new SocketLink(pair.left);
  let crowd: LinkRunner | undefined;
  const goOn = child.stdin.getWriter();
  const moments: Moment[] = [];
  let startMs = performance.now();
  for await (const line of linesOf(child.stdout)) {
    const said = JSON.parse(line) as Said;
    const counts = crowd?.counters() ?? said.snapshot.peer ?? {};
    const ways = { ...await wayDrops(pair), ...prefixed("far ", link) };
    const begun = moments[0]?.sample.descriptors ?? 0;
    if (said.phase === "still") {
      await fallen(child.pid, begun + DESCRIPTOR_GROWTH_MAX);
    }
    const moment: Moment = {
      said,
      sample: await sampleOf(child.pid, performance.now() - startMs, said),
      crowd: counts,
      dropped: { ...ways, ...dropsIn(said, counts) },
    };
    moments.push(moment);
    options.onSample(moment);
    if (said.phase === "begun") {
      startMs = performance.now();
      crowd = link && owned.use(startCrowd(link, options));
    }
    if (said.phase === "begun" || said.phase === "still") {
      await goOn.write(new Uint8Array(1));
    }
  }
  const { code } = await child.status;
  await goOn.close().catch(() => {});
  const last = moments.at(-1);
  if (code !== 0 || last?.said.phase !== "stopped") {
    throw new Error(`the system ended, with status ${code}`);
  }
  return { last, findings: findingsOf(moments, last) };
}

function spawn(
  { nic, forMs, everyMs, lifeMs }: SoakOptions,
  space: Namespace | undefined,
): Deno.ChildProcess {
  const command = [
    ...[Deno.execPath(), "run", "-A", "--quiet", "--no-prompt"],
    ...[`--config=${CONFIG}`, PROCESS],
    ...[nic === "xdp" ? `xdp:${INTERFACE}` : nic, ADDRESS],
    ...[forMs, everyMs, lifeMs].map(String),
  ];
  return commandOf(space?.command(command) ?? command, {
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
}

function startCrowd(link: SocketLink, { forMs }: SoakOptions): LinkRunner {
  const target = parseIpv4Address(ADDRESS.split("/")[0]!)!;
  const crowd = makeCrowd({ target, seed: SEED, forMs });
  return new LinkRunner(crowd, link, makeRealClock());
}

async function sampleOf(
  pid: number,
  atMs: number,
  { phase, snapshot, churned: { opened } }: Said,
): Promise<Sample> {
  const pages = snapshot.pages;
  if (phase === "stopped") {
    return { phase, atMs, pages, opened, residentBytes: 0, descriptors: 0 };
  }
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  const residentKb = Number(/^VmRSS:\s*(\d+)/m.exec(status)![1]);
  const descriptors = await descriptorsOf(pid);
  const residentBytes = residentKb * 1024;
  return { phase, atMs, pages, opened, residentBytes, descriptors };
}

/** Waits, a while, until no more descriptors are open than this: a worker that failed takes a moment to terminate. */
async function fallen(pid: number, count: number): Promise<void> {
  for (let look = 0; look < FALL_LOOKS; look++) {
    if (await descriptorsOf(pid) <= count) return;
    await delay(FALL_LOOK_MS);
  }
}

/** Open file descriptors, but for files: the runtime opens its caches when it likes. */
async function descriptorsOf(pid: number): Promise<number> {
  let count = 0;
  for await (const { name } of Deno.readDir(`/proc/${pid}/fd`)) {
    // One that was closed meanwhile does not count.
    const to = await Deno.readLink(`/proc/${pid}/fd/${name}`).catch(() => "/");
    if (!to.startsWith("/") || to.startsWith("/dev/")) count++;
  }
  return count;
}

/** What the system, and an emulated wire, say they dropped of the steady services' packets, or of anybody's. */
function dropsIn({ snapshot }: Said, crowd: Counts): Counts {
  const { nic, services } = snapshot;
  const steady = ["icmp-echo", "udp-echo"];
  return {
    ...losses("nic ", nic.counters),
    ...Object.fromEntries(
      services.filter(({ name }) => steady.includes(name)).flatMap((service) =>
        service.capabilities.flatMap(({ label, drops }) =>
          Object.entries(drops).map(([why, n]) => [`${label} ${why}`, n])
        )
      ),
    ),
    ...Object.fromEntries(
      Object.entries(crowd).filter(([name]) =>
        name.startsWith("wire ") || name === "steady no-room"
      ),
    ),
  };
}

/** Counters that name losses: all `rx-` and `tx-` but packets and bytes. */
function losses(prefix: string, counters: Counts): Counts {
  return Object.fromEntries(
    Object.entries(counters).flatMap(([name, count]) =>
      (/^[rt]x-/.test(name) && !/-(packets|bytes)$/.test(name)) ||
        name === "send-refused"
        ? [[prefix + name, count]]
        : []
    ),
  );
}

/** What the two ends of the veth say they dropped. */
async function wayDrops(pair: NamespacePair | undefined): Promise<Counts> {
  const drops: Record<string, number> = {};
  for (const [name, space] of Object.entries(pair ?? {})) {
    const { stats64 } = await (space as Namespace).link() as {
      stats64?: Record<"rx" | "tx", { dropped: number }>;
    };
    drops[`${name} veth rx`] = stats64?.rx.dropped ?? 0;
    drops[`${name} veth tx`] = stats64?.tx.dropped ?? 0;
  }
  return drops;
}

function prefixed(prefix: string, link: SocketLink | undefined): Counts {
  return Object.fromEntries(
    Object.entries(link?.counters() ?? {}).map(([name, n]) => [
      prefix + name,
      n,
    ]),
  );
}

/** The sum of counts. */
export function sum(counts: Counts): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}

/** Echoes asked of the services that do not fail, and answered. */
export function steadyEchoes(crowd: Counts) {
  const of = (name: string) => crowd[`steady ${name}`] ?? 0;
  return {
    asked: of("ping-sent") + of("udp-sent"),
    answered: of("ping-answered") + of("udp-answered"),
    wrong: of("wrong-answers") + (crowd["failing wrong-answers"] ?? 0),
  };
}

function findingsOf(moments: readonly Moment[], last: Moment): Findings {
  const samples = moments.map(({ sample }) => sample);
  const echoes = { ...steadyEchoes(last.crowd), dropped: sum(last.dropped) };
  const { wrong, ...grown } = judge(samples, echoes);
  const { services } = last.said.snapshot;
  const failed = services.filter(({ name }) => name !== "failing")
    .filter(({ restarts, refusals }) => restarts > 0 || sum(refusals) > 0)
    .map(({ name, failure, refusals }) =>
      `${name} was started again, or refused: ${failure ?? ""} ${
        JSON.stringify(refusals)
      }`
    );
  return { ...grown, wrong: [...wrong, ...failed] };
}
