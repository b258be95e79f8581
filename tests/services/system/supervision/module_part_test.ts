import { equal, rejects } from "node:assert/strict";
import { udpEchoService } from "../../../../services/udp-echo/service.ts";
import { defaultManifest } from "../../../../services/manifest/manifest.ts";
import { moduleParts } from "../../../../services/system/supervision/module_part.ts";

const MODULE = { core: "module", path: "mine.ts", receives: "udp" } as const;

/** A service's name that every object has a property of. */
const name = "constructor";

Deno.test("a module with the name of what every object has is its user's all the same", async () => {
  const manifest = defaultManifest({ services: { [name]: MODULE } });
  await rejects(
    moduleParts(manifest, { confined: false }),
    /service constructor is a module, and such run confined/,
  );
  const parts = await moduleParts(manifest, {
    confined: false,
    modules: { [name]: () => udpEchoService },
  });
  equal(Object.keys(parts).join(), name);
});

Deno.test("nothing is a module's part that no manifest names", async () => {
  const parts = await moduleParts(defaultManifest(), { confined: false });
  equal(parts[name], undefined);
});
