import { Buffer } from "node:buffer";
import { deepEqual } from "node:assert/strict";
import fc from "fast-check";
import wabt from "wabt";
import { mergeTree } from "../../../../services/filter/tree/merge.ts";
import { emitWasm } from "../../../../services/filter/wasm/emit.ts";
import { printWasm } from "../../../../services/filter/wasm/print.ts";
import { grantsOf } from "../../../arbitraries/grant_frames.ts";
import { derivationArbitrary } from "../../../arbitraries/grants.ts";
import { residualsArbitrary } from "../../../arbitraries/residuals.ts";
import { testProperty } from "../../../property.ts";
import { MEMORY_PAGES } from "./wasm_harness.ts";

testProperty(
  "printWasm() prints what wabt assembles to the same bytes",
  { runs: 60, file: import.meta.url },
  fc.asyncProperty(
    fc.oneof(derivationArbitrary, residualsArbitrary),
    async (roots) => {
      const sends = grantsOf(roots).map((grant, index) => ({
        slot: index + 1,
        grant,
      }));
      const bytes = emitWasm(mergeTree(roots), sends, MEMORY_PAGES).module;
      const { parseWat } = await wabt();
      const module = parseWat("ours", printWasm(bytes), { threads: true });
      try {
        const { buffer } = module.toBinary({});
        deepEqual(Buffer.from(buffer), Buffer.from(bytes));
      } finally {
        module.destroy();
      }
    },
  ),
);
