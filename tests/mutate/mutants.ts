/** Mutants of a source file, made by StrykerJS's instrumenter. */

import { createInstrumenter } from "@stryker-mutator/instrumenter";

/** One change to one file. */
export interface Mutant {
  /** From the project's root. */
  readonly file: string;
  /** Number within its file, the same for the same text. */
  readonly id: number;
  /** First and last line, from 1. */
  readonly line: number;
  readonly lineEnd: number;
  /** What kind of change, in StrykerJS's words. */
  readonly kind: string;
  /** The text that is replaced, and what by. */
  readonly from: string;
  readonly to: string;
  /** The whole file with the change. */
  readonly text: string;
}

/**
 * Kinds that are left out: words of messages are no behaviour, and what an
 * optional chain falls back to is mostly the type checker's to notice.
 */
const LEFT_OUT = ["StringLiteral", "OptionalChaining", "Regex"];

const silent = () => {};

const log = {
  isDebugEnabled: () => false,
  debug: silent,
  trace: silent,
  info: silent,
  warn: silent,
};

/** Stands in for StrykerJS's own wiring, of which the instrumenter asks for a log only. */
const injector = {
  resolve: () => log,
  injectClass: <T>(make: new (given: typeof log) => T) => new make(log),
  injectFunction: <T>(make: (given: typeof log) => T) => make(log),
  provideValue: () => injector,
  provideClass: () => injector,
  provideFactory: () => injector,
} as unknown as Parameters<typeof createInstrumenter>[0];

/** All mutants of `file`, whose text is `text`, in its order. */
export async function mutantsOf(
  file: string,
  text: string,
): Promise<Mutant[]> {
  const { mutants } = await createInstrumenter(injector).instrument(
    [{ name: file, content: text, mutate: true }],
    {
      plugins: null,
      excludedMutations: LEFT_OUT,
      ignorers: [],
      noHeader: true,
    },
  );
  const starts = lineStarts(text);
  // A kind that is left out is listed all the same, as ignored.
  const kept = mutants.filter(({ status }) => status !== "Ignored");
  return kept.map(({ id, mutatorName, location, replacement }) => {
    const at = (place: { line: number; column: number }) =>
      starts[place.line]! + place.column;
    const [start, end] = [at(location.start), at(location.end)];
    return {
      file,
      id: Number(id),
      line: location.start.line + 1,
      lineEnd: location.end.line + 1,
      kind: mutatorName,
      from: text.slice(start, end),
      to: replacement,
      text: text.slice(0, start) + replacement + text.slice(end),
    };
  });
}

function lineStarts(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) {
    starts.push(at + 1);
  }
  return starts;
}
