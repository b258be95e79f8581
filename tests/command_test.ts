import { match, rejects, strictEqual, throws } from "node:assert/strict";
import { commandOf, runCommand, tryCommand } from "./command.ts";
import { type Need, testWith, whyMissing } from "./needs.ts";

Deno.test("a program that no test says it needs is not run, though it is there", () => {
  throws(() => commandOf(["setpriv", "--help"]), /needs "tool:setpriv"/);
});

Deno.test("a program that is in no package of the list is neither needed nor run", () => {
  const why = /nosuch is not in tests\/packages\.json/;
  throws(() => commandOf(["nosuch"]), why);
  throws(() => whyMissing("tool:nosuch" as Need), why);
  throws(() => whyMissing("library:nosuch" as Need), why);
});

testWith(["tool:sh"], "a command's failure says what it wrote", async () => {
  const words = ["sh", "-c", "echo a; echo b >&2; exit 3"];
  const { code, stdout, stderr } = await tryCommand(words);
  strictEqual(`${code} ${stdout} ${stderr}`, "3 a\n b\n");
  await rejects(runCommand(words), ({ message }: Error) => {
    match(message, /status 3: b\na$/);
    return true;
  });
});
