/** Pages that a service's settings need: its default, and refused in words where a manifest gives less. */

import { deepEqual, equal, throws } from "node:assert/strict";
import fc from "fast-check";
import type { ProtocolOf } from "../../../services/core/protocol.ts";
import { wholeNumber } from "../../../services/fields/field.ts";
import { CORES } from "../../../services/manifest/cores.ts";
import { makeManifestReader } from "../../../services/manifest/manifest.ts";
import { NICS } from "../../../services/manifest/nic/nics.ts";
import { udpEchoService } from "../../../services/udp-echo/service.ts";
import { testProperty } from "../../property.ts";

/** Holds what comes until it is read: in pages of 4 KiB, or extents of 17 of them. */
const windowed: ProtocolOf<"windowed", { readonly windowBytes: number }> = {
  name: "windowed",
  fields: { windowBytes: wholeNumber(1, 1 << 24) },
  distinctBy: ["windowBytes"],
  example: { core: "windowed", windowBytes: 65_536 },
  definition: udpEchoService,
  pagesNeeded: ({ windowBytes }, { superPackets }) =>
    superPackets
      ? 17 * Math.ceil(windowBytes / 65_536)
      : Math.ceil(windowBytes / 1460),
};

const read = makeManifestReader({ cores: [...CORES, windowed], nics: NICS });

function manifestOf(nic: string, service: object, frames = 16_384) {
  return read({
    nic,
    address: "10.77.0.2/24",
    frames,
    services: { it: { core: "windowed", ...service } },
  });
}

testProperty(
  "a service has by default the pages that its settings need, and at least the default of all",
  { runs: 100, file: import.meta.url },
  fc.property(
    fc.integer({ min: 1, max: 1 << 20 }),
    fc.constantFrom("emulated", "tap:t0"),
    (windowBytes, nic) => {
      const needed = windowed.pagesNeeded!({ windowBytes }, {
        superPackets: nic === "tap:t0",
      });
      const byDefault = manifestOf(nic, { windowBytes }).services["it"]!;
      equal(byDefault.quotaPages, Math.max(64, needed));
      const exact = manifestOf(nic, { windowBytes, quotaPages: needed });
      equal(exact.services["it"]!.quotaPages, needed);
    },
  ),
);

Deno.test("one page less than its settings need is refused with the figure, beside all else that is wrong", () => {
  throws(
    () => manifestOf("tap:t0", { windowBytes: 1 << 20, quotaPages: 271 }, 64),
    ({ message }: Error) => {
      deepEqual(
        message.split("\n").filter((line) => /pages|quota/.test(line)),
        [
          "services.it.quotaPages: expected at least 272, the pages that its settings need on this NIC, got 271",
          "services: expected quotas of at most 48 pages in all (three quarters of 64 frames), got 271",
        ],
      );
      return true;
    },
  );
});
