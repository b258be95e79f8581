/** What a README shows of the compiler is what it prints. */

import { equal, ok } from "node:assert/strict";
import { codeBlocks, readReadmes } from "../../tidy/markdown.ts";
import { runSallyport } from "../sallyport.ts";

/** A command, and what a README shows of what it prints. */
interface Shown {
  readonly place: string;
  readonly text: string;
  readonly stage: string;
  readonly lines: readonly string[];
}

function shownIn(path: string): Shown[] {
  const readme = readReadmes().find((one) => one.path === path)!;
  return codeBlocks(readme).flatMap(({ code, place }) =>
    code.split(/^\$ /m).slice(1).flatMap((part) => {
      const [command, ...lines] = part.trimEnd().split("\n");
      const found = /^sallyport compile '(.*)' --emit=(\w+)$/.exec(command!);
      return found === null
        ? []
        : [{ place, text: found[1]!, stage: found[2]!, lines }];
    })
  );
}

/** Whether `lines` are all of `printed`, but for what a line `…` stands for. */
function isShownIn(
  lines: readonly string[],
  printed: readonly string[],
): boolean {
  const parts = lines.join("\n").split(/^ *…$/m)
    .map((part) => part.replace(/^\n|\n$/g, ""));
  const all = printed.join("\n");
  let at = 0;
  for (const part of parts) {
    const found = all.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return all.startsWith(parts[0]!) && all.endsWith(parts.at(-1)!);
}

Deno.test("each stage in the README of filters is what the compiler prints", async () => {
  const shown = shownIn("services/filter/README.md");
  ok(shown.length >= 7);
  for (const { place, text, stage, lines } of shown) {
    const { code, out } = await runSallyport(
      ["compile", text, `--emit=${stage}`],
    );
    equal(code, 0);
    const printed = out.trimEnd().split("\n");
    ok(isShownIn(lines, printed), `${place}: --emit=${stage} prints\n${out}`);
  }
});

Deno.test("a line too many, or another one, is not what is printed", () => {
  ok(isShownIn(["a", "…", "d"], ["a", "b", "c", "d"]));
  ok(!isShownIn(["a", "…", "x"], ["a", "b", "c", "d"]));
  ok(!isShownIn(["a", "b", "d"], ["a", "b", "c", "d"]));
  ok(!isShownIn(["a", "b"], ["a", "b", "c", "d"]));
});
