/** Values in error messages. */

/** Writes a value as an error message shows it: on one line, short, nothing unprintable. */
export function showValue(value: unknown): string {
  if (value === undefined) return "nothing";
  if (typeof value === "string") return quote(value);
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === "object" && value !== null) return "an object";
  if (typeof value === "function" || typeof value === "symbol") {
    return `a ${typeof value}`;
  }
  return String(value);
}

const TEXT_SHOWN_MAX = 60;

function quote(text: string): string {
  const short = text.length > TEXT_SHOWN_MAX
    ? `${text.slice(0, TEXT_SHOWN_MAX)}…`
    : text;
  return JSON.stringify(short).replace(
    /[\p{C}\p{Zl}\p{Zp}]/gu,
    (char) => `\\u{${char.codePointAt(0)!.toString(16)}}`,
  );
}
