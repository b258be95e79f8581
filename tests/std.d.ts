/**
 * What the modules of deno std that are used here export: its npm package has
 * no types. The names are those of JSR. With `"@std/async": "jsr:@std/async@1"`
 * and the like in deno.json this file can go, and no import changes.
 */

declare module "@std/async/delay" {
  /** Resolves after `ms` milliseconds; rejects when `signal` aborts. */
  export function delay(
    ms: number,
    options?: { signal?: AbortSignal; persistent?: boolean },
  ): Promise<void>;
}

declare module "@std/bytes/concat" {
  /** Copies byte strings into one, in order. */
  export function concat(
    parts: readonly Uint8Array[],
  ): Uint8Array<ArrayBuffer>;
}

declare module "@std/jsonc/parse" {
  /** Reads JSON with comments and trailing commas. @throws {SyntaxError} with the position, counted in characters. */
  export function parse(text: string): unknown;
}

declare module "@std/streams/text-line-stream" {
  /** Splits text at LF and CR LF; the last line needs no end. */
  export class TextLineStream extends TransformStream<string, string> {
    constructor(options?: { allowCR?: boolean });
  }
}
