/** Interposers as a manifest names them. */

import { z } from "zod";
import { showValue } from "../fields/show_value.ts";
import { asked, pathOfFile, wholeNumber } from "../fields/field.ts";
import { count } from "../interpose/count.ts";
import { delay, DELAY_MS_MAX, type DelayOptions } from "../interpose/delay.ts";
import { drop, type DropOptions } from "../interpose/drop.ts";
import { INTERPOSERS_MAX } from "../interpose/interpose.ts";
import type { Interposer } from "../interpose/interposer.ts";
import { type FrameSink, log } from "../interpose/log.ts";

/** An interposer: an object with its name as the only field. */
export type InterposerSpec =
  | { readonly count: Readonly<Record<string, never>> }
  | { readonly delay: DelayOptions }
  | { readonly drop: DropOptions }
  | { readonly log: LogSpec };

/** What passes is written to a file. */
export interface LogSpec {
  /** The path: pcapng when it ends so, which tells the two ways apart; else pcap. */
  readonly file: string;
}

// `abort`: one complaint a field.
const milliseconds = {
  ...asked(`milliseconds, from 0 to ${DELAY_MS_MAX}`),
  abort: true,
};
const ms = z.number(milliseconds).min(0, milliseconds)
  .max(DELAY_MS_MAX, milliseconds);
const share = { ...asked("a probability from 0 to 1"), abort: true };
const seed = wholeNumber(0, 0xffffffff).optional();

const KINDS = {
  count: z.strictObject({}, asked("{}")),
  delay: z.strictObject(
    { delayMs: ms, jitterMs: ms.optional(), seed },
    asked('times such as {"delayMs": 5}'),
  ),
  drop: z.strictObject(
    { probability: z.number(share).min(0, share).max(1, share), seed },
    asked('a probability such as {"probability": 0.1}'),
  ),
  log: z.strictObject(
    { file: pathOfFile },
    asked('a file such as {"file": "seen.pcapng"}'),
  ),
};

const expected = asked('one interposer, such as {"count": {}}');

const one = z.strictObject({
  count: KINDS.count.optional(),
  delay: KINDS.delay.optional(),
  drop: KINDS.drop.optional(),
  log: KINDS.log.optional(),
}, expected).superRefine((spec, context) => {
  const { length } = Object.values(spec).filter((it) => it !== undefined);
  if (length !== 1) {
    context.addIssue(
      `expected one interposer, such as {"count": {}}, got ${length}`,
    );
  }
});

/** Checks the interposers of a service. */
export const interposerSpecs = z.array(
  one,
  asked('a list of interposers, such as [{"count": {}}]'),
).max(INTERPOSERS_MAX, asked(`at most ${INTERPOSERS_MAX} interposers`))
  .optional() as unknown as z.ZodType<
    readonly InterposerSpec[] | undefined,
    readonly InterposerSpec[] | undefined
  >;

/** The fields that are known below a list of interposers, at `path` from there on. */
export function interposerFieldsAt(
  path: readonly string[],
): readonly string[] {
  const kind = path[1];
  if (kind === undefined || !Object.hasOwn(KINDS, kind)) {
    return Object.keys(KINDS);
  }
  return Object.keys(KINDS[kind as keyof typeof KINDS].shape);
}

/** The interposer that `spec` names; `openLog` opens the file of a log. */
export function makeInterposer(
  spec: InterposerSpec,
  openLog: (file: string) => FrameSink,
): Interposer {
  if ("count" in spec) return count();
  if ("delay" in spec) return delay(spec.delay);
  if ("drop" in spec) return drop(spec.drop);
  return log(openLog(spec.log.file));
}

/** Services of a manifest, as far as it matters here. */
type Services = Readonly<
  Record<string, { readonly interpose?: readonly InterposerSpec[] | undefined }>
>;

/** The files that interposers of these services log to, and where they are named. */
export function logFilesOf(
  services: Services,
): { readonly path: string[]; readonly file: string }[] {
  return Object.entries(services).flatMap(([name, { interpose = [] }]) =>
    interpose.flatMap((spec, i) =>
      "log" in spec
        ? [{
          path: [name, "interpose", String(i), "log", "file"],
          file: spec.log.file,
        }]
        : []
    )
  );
}

/** The logs whose file something else writes too, which would spoil it. */
export function logsWrong(
  { services, write }: {
    readonly services: Services;
    readonly write?: string | undefined;
  },
): { readonly path: string[]; readonly problem: string }[] {
  const taken = new Set([write]);
  return logFilesOf(services).flatMap(({ path, file }) => {
    const free = !taken.has(file);
    taken.add(file);
    const problem = `expected a file that nothing else writes, got ${
      showValue(file)
    }`;
    return free ? [] : [{ path, problem }];
  });
}
