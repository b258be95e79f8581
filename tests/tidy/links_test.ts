/** The READMEs name what is there. */

import { deepEqual } from "node:assert/strict";
import { exists, prose, readReadmes } from "./markdown.ts";

const readmes = readReadmes();

Deno.test("every relative link in every README leads somewhere", () => {
  const broken = readmes.flatMap((readme) =>
    [...prose(readme).matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, target]) => {
      if (/^(https?:|#)/.test(target!)) return [];
      const [path] = target!.split("#");
      const from = new URL(readme.path, "file:///");
      const to = new URL(path!, from).pathname.slice(1);
      return exists(to) ? [] : [`${readme.path}: ${target}`];
    })
  );
  deepEqual(broken, []);
});

Deno.test("every file and folder that a README names by its path is there", () => {
  const missing = readmes.flatMap((readme) =>
    [
      ...prose(readme).matchAll(
        /`\.?\/?((?:caps|drivers|services|cli|tests|bench|examples)\/[\w./-]+)`/g,
      ),
    ].flatMap(([, path]) => exists(path!) ? [] : [`${readme.path}: ${path}`])
  );
  deepEqual(missing, []);
});

Deno.test("the rooms of the house say what is in them", () => {
  const told = [
    "",
    "bench/",
    "caps/",
    "cli/",
    "drivers/",
    "services/",
    "services/filter/",
    "services/system/",
    "tests/",
  ];
  const paths = readmes.map(({ path }) => path);
  deepEqual(told.filter((at) => !paths.includes(`${at}README.md`)), []);
});
