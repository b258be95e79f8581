/** A soak's judge finds what it is there to find. */

import assert from "node:assert/strict";
import {
  judge,
  type Phase,
  RESIDENT_GROWTH_BYTES_MAX,
  type Sample,
} from "./judge.ts";

const TOTAL = 4096;
const MIB = 1024 * 1024;

/** What changes a sample, by its number among those under traffic. */
type Fault = (n: number) => Partial<Sample>;

/** Ten minutes of samples, some noise in them, with `fault` under traffic and after it. */
function samples(fault: Fault = () => ({})): Sample[] {
  const one = (phase: Phase, n: number): Sample => ({
    phase,
    atMs: n * 2000,
    residentBytes: (400 + 20 * Math.sin(n)) * MIB,
    descriptors: phase === "busy" ? 70 + n % 7 : 68,
    opened: n * 250,
    pages: {
      total: TOTAL,
      free: phase === "busy" ? TOTAL - n % 5 : TOTAL,
      lent: phase === "busy" ? n % 5 : 0,
      inFlight: 0,
      quarantined: 0,
    },
  });
  const busy = Array.from(
    { length: 300 },
    (_, n) => ({ ...one("busy", n), ...fault(n) }),
  );
  return [
    one("begun", 0),
    ...busy,
    { ...one("still", 300), ...fault(300) },
    { ...one("stopped", 301), ...fault(301) },
  ];
}

const ECHOES = { asked: 1000, answered: 990, wrong: 0, dropped: 10 };

Deno.test("a soak in which everything goes up and down, and comes back, is passed", () => {
  assert.deepEqual(judge(samples(), ECHOES).wrong, []);
});

const home = { total: TOTAL, lent: 0, inFlight: 0, quarantined: 0 };

const FAULTS: readonly (readonly [what: string, Fault, found: RegExp])[] = [
  [
    "a page of memory lost with each of 50 capabilities a second",
    (n) => ({ residentBytes: 400 * MIB + n * 2 * 50 * 4096 }),
    /resident memory grew by \d+\.\d MiB/,
  ],
  [
    "a file descriptor lost with each of 20 failures",
    (n) => ({ descriptors: 68 + Math.floor(n / 15) }),
    /^20 file descriptors more/,
  ],
  [
    "one page that nobody has",
    (n) => ({ pages: { ...home, free: n === 150 ? TOTAL - 1 : TOTAL } }),
    /^at 300\.0 s the pages do not add up/,
  ],
  [
    "one page that does not come back",
    () => ({ pages: { ...home, free: TOTAL - 1, lent: 1 } }),
    /^still, not all pages are free/,
  ],
  [
    "nobody served after some time",
    (n) => ({ opened: Math.min(n, 130) * 250 }),
    /^from 300\.0 s to 360\.0 s no capability was opened/,
  ],
  [
    "one page in quarantine",
    () => ({ pages: { ...home, free: TOTAL - 1, quarantined: 1 } }),
    /^still, not all pages are free/,
  ],
];

for (const [what, fault, found] of FAULTS) {
  Deno.test(`a soak with ${what} is not passed`, () => {
    const { wrong } = judge(samples(fault), ECHOES);
    assert.ok(wrong.length >= 1 && wrong.length <= 2, wrong.join("\n"));
    assert.match(wrong[0]!, found);
  });
}

Deno.test("memory that grows once, before the heaps have their size, or for a moment, is no leak", () => {
  const grows: Fault[] = [
    (n) => ({ residentBytes: (n < 50 ? 300 : 400) * MIB }),
    (n) => ({ residentBytes: (n % 10 === 0 ? 900 : 400) * MIB }),
    (n) => ({ residentBytes: 400 * MIB + n * RESIDENT_GROWTH_BYTES_MAX / 300 }),
  ];
  for (const grow of grows) {
    assert.deepEqual(judge(samples(grow), ECHOES).wrong, []);
  }
});

Deno.test("an echo that is lost, and dropped by nobody, is found, and so are wrong ones, none, and a soak that never ends", () => {
  const found = (echoes: Partial<typeof ECHOES>) =>
    judge(samples(), { ...ECHOES, ...echoes }).wrong.join();
  assert.match(found({ dropped: 9 }), /^10 echoes lost, and only 9 packets/);
  assert.match(found({ wrong: 1 }), /^1 wrong answers/);
  assert.match(found({ asked: 0, answered: 0 }), /^no echoes/);
  const { wrong } = judge(samples().slice(0, -2), ECHOES);
  assert.match(wrong.join(), /descriptors.*never was still.*never was stopped/);
});
