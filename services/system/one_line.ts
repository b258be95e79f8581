/** Reasons for failures, as people are shown them. */

/** The longest reason. */
const MESSAGE_LENGTH_MAX = 200;

/** Makes a reason one line, and not a long one. */
export function oneLine(reason: unknown): string {
  const text = typeof reason === "string" ? reason : "it did not say why";
  // deno-lint-ignore no-control-regex
  return text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, " ").trim()
    .slice(0, MESSAGE_LENGTH_MAX);
}
