/**
 * One filter text at a time: compiled to Wasm, beside C written by hand for this
 * very text, and beside libpcap's interpreter.
 */

import { filter } from "../../services/filter/text/filter.ts";
import { takeTurns, timed } from "../rounds.ts";
import { type BenchOptions, type BenchRow, compare } from "../row.ts";
import { cText, libpcapTexts, type Maker, wasmText } from "./contestants.ts";
import {
  checkAgreement,
  type Classify,
  makeGround,
  PACKETS,
} from "./ground.ts";
import { timedShuffled } from "./shuffled.ts";
import { capturedFrames } from "./traffic.ts";

/** The texts; bench/reference/texts.c has them in this order. */
export const TEXTS = [
  "tcp dst port 443 and not src net 10.0.0.0/8",
  "udp port 53",
  "ip6 and tcp",
  "vlan 100 and tcp dst port 443",
] as const;

/**
 * Which frames, and in which order: as they were captured, again and again; the
 * same in an order that is new each time (shuffled.ts); and in the first order
 * those only that match, or that do not.
 */
export const MIXES = [
  "captured",
  "shuffled",
  "matching",
  "not matching",
] as const;

/** Frames to choose from. */
const CAPTURED = 4 * PACKETS;

const WHAT = { bench: "classify", unit: "ns/packet" };

/** Runs it. */
export async function* runTexts(
  options: BenchOptions,
): AsyncGenerator<BenchRow> {
  const frames = capturedFrames(CAPTURED);
  const makers = { c: await cText(), libpcap: await libpcapTexts() };
  for (const number of TEXTS.keys()) {
    for (const mix of MIXES) {
      yield* measure(caseOf(number, mix, frames), makers, options);
    }
  }
}

interface Case {
  readonly number: number;
  readonly text: string;
  readonly mix: typeof MIXES[number];
  /** Frames of the mix. */
  readonly frames: readonly Uint8Array[];
}

/** `frames` are all that were captured. */
function caseOf(
  number: number,
  mix: Case["mix"],
  frames: readonly Uint8Array[],
): Case {
  const text = TEXTS[number]!;
  if (mix === "captured" || mix === "shuffled") {
    return { number, text, mix, frames };
  }
  const compiled = filter(text);
  const wanted = mix === "matching";
  return {
    number,
    text,
    mix,
    frames: frames.filter((frame) => compiled.matches(frame) === wanted),
  };
}

interface Makers {
  readonly c: Maker<number>;
  readonly libpcap: Maker<readonly string[]>;
}

async function* measure(
  one: Case,
  { c, libpcap }: Makers,
  { quick }: BenchOptions,
): AsyncGenerator<BenchRow> {
  const { number, text, mix } = one;
  const ground = makeGround(one.frames);
  const contestants: Record<string, Classify> = {
    ours: wasmText(ground, text),
    ...(typeof c === "string" ? {} : { c: c(ground, number) }),
    ...(typeof libpcap === "string"
      ? {}
      : { libpcap: libpcap(ground, [text]) }),
  };
  checkCount(one, checkAgreement(ground, contestants));
  const durationMs = quick ? 0.1 : 4;
  const measures = await takeTurns(
    Object.fromEntries(
      Object.entries(contestants).map(([name, classify]) => [
        name,
        mix === "shuffled"
          ? timedShuffled(ground, classify, { durationMs })
          : timed(classify, { units: PACKETS, durationMs }),
      ]),
    ),
    quick ? 1 : 31,
  );
  const name = `${text}: ${mix}`;
  yield compare(
    { ...WHAT, case: `${name}, beside C -O2` },
    measures.ours!,
    typeof c === "string" ? c : measures.c!,
  );
  yield compare(
    { ...WHAT, case: `${name}, beside libpcap` },
    measures.ours!,
    typeof libpcap === "string" ? libpcap : measures.libpcap!,
  );
}

function checkCount({ text, mix }: Case, found: number): void {
  const all = mix === "matching" && found === PACKETS;
  const none = mix === "not matching" && found === 0;
  const some = found > 0 && found < PACKETS;
  if (all || none || (some && !mix.includes("matching"))) return;
  throw new Error(
    `classify: ${found} of ${PACKETS} packets match ${text} (${mix})`,
  );
}
