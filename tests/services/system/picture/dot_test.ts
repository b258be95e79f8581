import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { wiringDot } from "../../../../services/system/picture/dot.ts";
import { wiringText } from "../../../../services/system/picture/text.ts";
import type { Wiring } from "../../../../services/system/picture/wiring.ts";
import { wildText } from "../../../arbitraries/snapshot.ts";
import { drawn } from "../../../system/pictured.ts";
import { testProperty } from "../../../property.ts";

/** What no system need ever have: parts and filters of any name. */
const wirings: fc.Arbitrary<Wiring> = fc
  .tuple(fc.uniqueArray(wildText, { minLength: 1, maxLength: 6 }), wildText)
  .map(([names, filter]) => ({
    parts: names.map((name, i) => ({
      // The first characters tell names apart that differ in what cannot be printed.
      name: `${i} ${name}`,
      kind: "service",
      state: name,
      place: {
        kind: "worker",
        permissions: { read: [name], ffi: true, net: false },
        limited: true,
      },
    })),
    channels: names.map((name, i) => ({
      from: `${i} ${name}`,
      to: `0 ${names[0]}`,
      what: "data",
      port: i,
    })),
    capabilities: names.map((name, i) => ({
      slot: i,
      ...(i === 0 ? {} : { parent: i - 1 }),
      holder: `${i} ${name}`,
      port: i,
      filter,
      rights: ["receive"],
      quotaPages: 3,
    })),
  }));

testProperty(
  "Graphviz reads every graph, whatever names are in it: nothing breaks out of its quotes",
  { runs: 25, file: import.meta.url, needs: ["tool:dot"] },
  fc.asyncProperty(wirings, async (wiring) => {
    const { nodes, edges } = await drawn(wiringDot(wiring));
    const { length } = wiring.parts;
    deepEqual(
      nodes.map((name) => name.split(" ")[0]).sort(),
      [
        ...Array.from({ length }, (_, i) => `${i}`),
        ...Array(length).fill("capability"),
      ]
        .sort(),
    );
    equal(edges.length, length + 2 * length - 1);
  }),
);

testProperty(
  "both forms show one line for each thing, and no character that a terminal acts on",
  { runs: 300, file: import.meta.url },
  fc.property(wirings, (wiring) => {
    const text = wiringText(wiring);
    const { length } = wiring.parts;
    equal(text.split("\n").length, 3 * length + 5 + 1);
    for (const form of [text, wiringDot(wiring)]) {
      ok(!/[\p{C}\p{Zl}\p{Zp}]/u.test(form.replaceAll("\n", "")));
    }
  }),
);
