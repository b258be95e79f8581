/** Each protocol in the list keeps to what a list of protocols takes for granted. */

import { deepEqual, equal, ok } from "node:assert/strict";
import type { Protocol } from "../../../services/core/protocol.ts";
import { CORE_NAMES, CORES } from "../../../services/manifest/cores.ts";
import { parseManifest } from "../../../services/manifest/manifest.ts";
import { HOLDING_FIELDS } from "../../../services/manifest/service.ts";
import { PARTS } from "../../../services/system/boot.ts";

const SERVICES = new URL("../../../services/", import.meta.url);

Deno.test("no two protocols have one name, and each has a part of the system", () => {
  equal(new Set(CORE_NAMES).size, CORES.length);
  deepEqual(Object.keys(PARTS.services), [...CORE_NAMES]);
});

for (const core of CORES as readonly Protocol[]) {
  const { name, fields, distinctBy, example } = core;

  Deno.test(`${name}: a manifest takes its example, and its worker is where the system looks`, () => {
    const { services } = parseManifest({
      nic: "emulated",
      address: "10.77.0.2/24",
      services: { it: example },
    });
    equal(services["it"]!.core, name);
    for (const field of Object.keys(fields)) {
      ok(field in services["it"]!, field);
    }
    const { worker } = PARTS.services[name]!;
    equal(worker.href, new URL(`${name}/worker.ts`, SERVICES).href);
    ok(Deno.statSync(worker).isFile);
  });

  Deno.test(`${name}: its fields are nobody else's, and it differs by fields of its own`, () => {
    const taken = ["core", "path", "receives", "sends", ...HOLDING_FIELDS];
    deepEqual(Object.keys(fields).filter((one) => taken.includes(one)), []);
    deepEqual(distinctBy.filter((one) => !Object.hasOwn(fields, one)), []);
  });
}
