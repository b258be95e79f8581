/**
 * `deno task soak`: ten minutes of a system under mixed traffic, with services
 * that fail and capabilities that come and go; status 1 when it did not hold.
 *
 *     deno task soak [--for 10m] [--nic xdp|emulated] [--json]
 */

import { readDuration } from "../../cli/command/duration.ts";
import { whyMissing } from "../needs.ts";
import { NETNS_NEEDS } from "../netns.ts";
import { mebibytes } from "./judge.ts";
import { type Moment, type Outcome, soak, steadyEchoes, sum } from "./soak.ts";

const USAGE = "usage: deno task soak [--for 10m] [--nic xdp|emulated] [--json]";

const SAMPLES = 200;
const SAMPLE_MS_MIN = 250;
const SAMPLE_MS_MAX = 2000;
const LINE_MS = 10_000;
/** Deaths in a soak: the pauses between lives grow to 10 s. */
const LIFE_SHARE = 1 / 40;
const LIFE_MS_MIN = 1500;

interface Choice {
  readonly nic: "xdp" | "emulated";
  readonly forMs: number;
  readonly json: boolean;
}

/** Reads the options; undefined for what is none. */
function choiceOf(args: readonly string[]): Choice | undefined {
  let nic: string = NETNS_NEEDS.some(whyMissing) ? "emulated" : "xdp";
  let forMs: number | undefined = 600_000;
  let json = false;
  const words = args.slice();
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    if (word === "--json") json = true;
    else if (word === "--for") forMs = readDuration(words.shift() ?? "");
    else if (word === "--nic") nic = words.shift() ?? "";
    else return undefined;
  }
  if (forMs === undefined) return undefined;
  return nic === "xdp" || nic === "emulated" ? { nic, forMs, json } : undefined;
}

/** One line of what happened so far. */
function lineOf({ sample, said, crowd, dropped }: Moment): string {
  const { pages, services } = said.snapshot;
  const { asked, answered } = steadyEchoes(crowd);
  const failing = services.find(({ name }) => name === "failing");
  const { opened, closed } = said.churned;
  return [
    `${(sample.atMs / 1000).toFixed(0).padStart(4)} s`,
    `echoes ${answered} of ${asked}, ${sum(dropped)} dropped on the way`,
    `${failing?.restarts ?? 0} restarts`,
    `capabilities ${opened} opened, ${closed} closed`,
    `pages ${pages.free} of ${pages.total} free`,
    `${mebibytes(sample.residentBytes)}, ${sample.descriptors} descriptors`,
  ].join("; ");
}

function summaryOf(choice: Choice, { last, findings }: Outcome): string {
  const { crowd, dropped, said } = last;
  const { asked, answered } = steadyEchoes(crowd);
  const { receivedPackets, sentPackets } = said.snapshot.nic;
  const { opened, refused, packets } = said.churned;
  const of = (name: string) => crowd[`unruly ${name}`] ?? 0;
  const reasons = Object.entries(dropped).filter(([, count]) => count > 0)
    .map(([reason, count]) => `  ${reason}: ${count}`);
  const grown = [findings.residentGrowthBytes, findings.descriptorGrowth];
  return [
    `soak of ${
      choice.forMs / 1000
    } s on ${said.snapshot.nic.name} (${said.snapshot.nic.mode})`,
    `packets: ${receivedPackets} in, ${sentPackets} out, among them ${
      of("garbage")
    } of garbage, ${of("bursts")} bursts and ${of("arp-asked")} by ARP (${
      of("arp-answered")
    } answered)`,
    `echoes: ${answered} of ${asked}; lost ${asked - answered}, where ${
      sum(dropped)
    } packets were counted as dropped${reasons.length > 0 ? ":" : ""}`,
    ...reasons,
    `capabilities: ${opened} opened and revoked, ${refused} refused as overlapping; ${packets} packets read`,
    `memory: ${
      mebibytes(grown[0]!)
    } more in the last third than in the first; file descriptors: ${
      grown[1]
    } more`,
    `pages: ${said.snapshot.pages.free} of ${said.snapshot.pages.total} free at the end`,
    ...(findings.wrong.length === 0
      ? ["all that must hold held"]
      : findings.wrong.map((wrong) => `WRONG: ${wrong}`)),
  ].join("\n");
}

async function main(args: readonly string[]): Promise<number> {
  const choice = choiceOf(args);
  if (choice === undefined) {
    console.error(USAGE);
    return 2;
  }
  const { nic, forMs, json } = choice;
  const everyMs = Math.min(
    SAMPLE_MS_MAX,
    Math.max(SAMPLE_MS_MIN, Math.round(forMs / SAMPLES)),
  );
  const lifeMs = Math.max(LIFE_MS_MIN, forMs * LIFE_SHARE);
  let nextMs = LINE_MS;
  const onSample = (moment: Moment) => {
    if (json || moment.sample.atMs < nextMs) return;
    if (moment.said.phase !== "busy") return;
    nextMs += LINE_MS;
    console.log(lineOf(moment));
  };
  const outcome = await soak({ nic, forMs, everyMs, lifeMs, onSample });
  console.log(json ? JSON.stringify(outcome) : summaryOf(choice, outcome));
  return outcome.findings.wrong.length === 0 ? 0 : 1;
}

Deno.exit(await main(Deno.args));
