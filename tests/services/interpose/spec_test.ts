import { deepEqual, equal, throws } from "node:assert/strict";
import {
  defaultManifest,
  formatManifest,
  parseManifest,
} from "../../../services/manifest/manifest.ts";

/** A manifest with these interposers, whatever they are. */
function manifestWith(interpose: unknown): Record<string, unknown> {
  const services = { arp: { core: "arp", interpose } };
  return { ...formatManifest(defaultManifest()), services };
}

Deno.test("interposers of a manifest are kept as they are written, in their order", () => {
  const interpose = [
    { count: {} },
    { delay: { delayMs: 5, jitterMs: 0.5, seed: 9 } },
    { drop: { probability: 0.1, seed: 7 } },
    { log: { file: "x.pcapng" } },
  ];
  const manifest = parseManifest(manifestWith(interpose));
  deepEqual(manifest.services["arp"]!.interpose, interpose);
  deepEqual(parseManifest(formatManifest(manifest)), manifest);
});

/** What is wrong, and what is said of it. */
const WRONG: readonly (readonly [interpose: unknown, message: string])[] = [
  [
    7,
    'services.arp.interpose: expected a list of interposers, such as [{"count": {}}], got 7',
  ],
  [
    [{}],
    'services.arp.interpose.0: expected one interposer, such as {"count": {}}, got 0',
  ],
  [
    [{ count: {}, drop: { probability: 0 } }],
    'services.arp.interpose.0: expected one interposer, such as {"count": {}}, got 2',
  ],
  [
    ["count"],
    'services.arp.interpose.0: expected one interposer, such as {"count": {}}, got "count"',
  ],
  [
    [{ dely: {} }],
    "services.arp.interpose.0.dely: unknown field; did you mean delay?",
  ],
  [
    [{ delay: { delayMs: 1, jiterMs: 1 } }],
    "services.arp.interpose.0.delay.jiterMs: unknown field; did you mean jitterMs?",
  ],
  [
    [{ delay: { delayMs: -1 } }],
    "services.arp.interpose.0.delay.delayMs: expected milliseconds, from 0 to 60000, got -1",
  ],
  [
    [{ drop: { probability: 2 } }],
    "services.arp.interpose.0.drop.probability: expected a probability from 0 to 1, got 2",
  ],
  [
    [{ drop: { probability: 1, seed: 0.5 } }],
    "services.arp.interpose.0.drop.seed: expected a whole number from 0 to 4294967295, got 0.5",
  ],
  [
    [{ log: {} }],
    "services.arp.interpose.0.log.file: expected the path of a file, got nothing",
  ],
  [
    [{ log: { file: "a" } }, { count: {} }, { log: { file: "a" } }],
    'services.arp.interpose.2.log.file: expected a file that nothing else writes, got "a"',
  ],
  [
    Array(17).fill({ count: {} }),
    "services.arp.interpose: expected at most 16 interposers, got a list of 17",
  ],
];

for (const [interpose, message] of WRONG) {
  Deno.test(`a manifest is refused: ${message}`, () => {
    throws(() => parseManifest(manifestWith(interpose)), (error: Error) => {
      equal(error.message.split("\n")[0], message);
      return true;
    });
  });
}
