/** What must hold of a soak, from samples taken of it: pure, so that it is tested by itself. */

import type { PagesSnapshot } from "../../caps/memory/page_ledger.ts";

/** Whether traffic is about to begin, goes on, all is still after it, or the system has stopped. */
export type Phase = "begun" | "busy" | "still" | "stopped";

/** A system at one moment, seen from outside and by itself. */
export interface Sample {
  readonly phase: Phase;
  /** Since traffic began. */
  readonly atMs: number;
  readonly residentBytes: number;
  readonly descriptors: number;
  readonly pages: PagesSnapshot;
  /** Capabilities that were opened so far. */
  readonly opened: number;
}

/** Echoes that were asked for and answered, and what else may have become of them. */
export interface Echoes {
  readonly asked: number;
  readonly answered: number;
  /** Answers without a question, or with other contents. */
  readonly wrong: number;
  /** Packets that somebody on the way counted as dropped. */
  readonly dropped: number;
}

/** What was found of a soak. */
export interface Findings {
  readonly residentGrowthBytes: number;
  readonly descriptorGrowth: number;
  /** What does not hold, in words; empty for a soak that was passed. */
  readonly wrong: readonly string[];
}

/** What is left out at the beginning, while heaps find their size: a fifth. */
const WARM_UP_SHARE = 0.2;

/**
 * How much larger the median of resident memory may be in the last third of the
 * samples than in the first. Ten workers' heaps grow and shrink by some MiB each
 * as V8 likes; a page (4 KiB) lost with each of some 50 capabilities a second
 * would be 80 MiB more within ten minutes.
 */
export const RESIDENT_GROWTH_BYTES_MAX: number = 32 * 1024 * 1024;

/** Until heaps have their size, which takes half a minute: 120 MiB in all were seen. */
const WARMING_GROWTH_BYTES_MAX: number = 160 * 1024 * 1024;

/** What is shorter than this is warming still. */
const WARMING_MS = 120_000;

/**
 * How many more file descriptors there may be once all is still: a worker that
 * failed keeps its dozen until the runtime has collected it. One that is lost with
 * each capability, or each failure, is more than that.
 */
export const DESCRIPTOR_GROWTH_MAX = 12;

/** Judges samples in the order of their times. */
export function judge(samples: readonly Sample[], echoes: Echoes): Findings {
  const busy = samples.filter(({ phase }) => phase === "busy");
  const warm = busy.slice(Math.ceil(busy.length * WARM_UP_SHARE));
  const third = Math.max(1, Math.floor(warm.length / 3));
  const [first, last] = [warm.slice(0, third), warm.slice(-third)];
  const residentGrowthBytes =
    median(last.map(({ residentBytes }) => residentBytes)) -
    median(first.map(({ residentBytes }) => residentBytes));
  const before = samples.find(({ phase }) => phase === "begun");
  const after = samples.find(({ phase }) => phase === "still");
  // Under traffic the number goes up and down with what is opened and started.
  const descriptorGrowth = (after?.descriptors ?? Infinity) -
    (before?.descriptors ?? 0);
  const lastMs = busy.at(-1)?.atMs ?? 0;
  const growthMax = lastMs < WARMING_MS
    ? WARMING_GROWTH_BYTES_MAX
    : RESIDENT_GROWTH_BYTES_MAX;
  const wrong = [
    ...(warm.length < 3
      ? [`only ${busy.length} samples under traffic: too few to judge`]
      : []),
    ...(residentGrowthBytes > growthMax
      ? [`resident memory grew by ${mebibytes(residentGrowthBytes)}`]
      : []),
    ...(descriptorGrowth > DESCRIPTOR_GROWTH_MAX
      ? [`${descriptorGrowth} file descriptors more than at first`]
      : []),
    ...wrongPages(samples),
    ...stalls(busy),
    ...wrongEchoes(echoes),
  ];
  return { residentGrowthBytes, descriptorGrowth, wrong };
}

/** In a tenth of the time hundreds are opened. */
function stalls(busy: readonly Sample[]): string[] {
  const step = Math.ceil(busy.length / 10);
  for (let i = step; i < busy.length; i += step) {
    const [before, now] = [busy[i - step]!, busy[i]!];
    if (now.opened > before.opened) continue;
    return [
      `from ${(before.atMs / 1000).toFixed(1)} s to ${
        (now.atMs / 1000).toFixed(1)
      } s no capability was opened`,
    ];
  }
  return [];
}

function wrongPages(samples: readonly Sample[]): string[] {
  const wrong: string[] = [];
  for (const { atMs, pages } of samples) {
    const { total, free, lent, inFlight, quarantined } = pages;
    if (free + lent + inFlight + quarantined === total) continue;
    wrong.push(
      `at ${(atMs / 1000).toFixed(1)} s the pages do not add up: ${
        JSON.stringify(pages)
      }`,
    );
  }
  for (const phase of ["still", "stopped"] as const) {
    const pages = samples.find((sample) => sample.phase === phase)?.pages;
    if (pages === undefined) wrong.push(`it never was ${phase}`);
    else if (pages.free !== pages.total) {
      wrong.push(`${phase}, not all pages are free: ${JSON.stringify(pages)}`);
    }
  }
  return wrong;
}

function wrongEchoes({ asked, answered, wrong, dropped }: Echoes): string[] {
  const lost = asked - answered;
  return [
    ...(asked === 0 || answered === 0 ? ["no echoes"] : []),
    ...(wrong > 0 ? [`${wrong} wrong answers`] : []),
    ...(lost > dropped
      ? [`${lost} echoes lost, and only ${dropped} packets counted as dropped`]
      : []),
  ];
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? 0;
}

/** As a person reads it. */
export function mebibytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}
