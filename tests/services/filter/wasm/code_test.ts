/** No function is one that V8 ends the process for. */

import { ok, strictEqual, throws } from "node:assert/strict";
import { ipv4 } from "../../../../services/filter/grant/builder.ts";
import { matchesText } from "../../../../services/filter/language/interpret.ts";
import { filter } from "../../../../services/filter/text/filter.ts";
import {
  FilterLimitError,
  mergeTree,
} from "../../../../services/filter/tree/merge.ts";
import {
  Code,
  WAYS_TO_LABEL_MAX,
} from "../../../../services/filter/wasm/code.ts";
import { emitWasm } from "../../../../services/filter/wasm/emit.ts";
import { MEMORY_PAGES } from "./wasm_harness.ts";

Deno.test("so many ways lead to one label, and none more, by branch or by table", () => {
  const code = new Code(1);
  const [outer, inner] = [code.open("block"), code.open("block")];
  for (let way = 0; way < WAYS_TO_LABEL_MAX - 2; way++) {
    code.branch("br_if", inner);
  }
  code.table([inner, outer, inner]);
  throws(() => code.branch("br", inner), FilterLimitError);
  throws(() => code.table([outer, inner]), FilterLimitError);
  // Others are others, at the same depth too.
  code.close().branch("br", outer);
  const next = code.open("block");
  code.branch("br", next);
});

Deno.test("a text with more ways than that is interpreted, however often it is asked", () => {
  const compared = Array.from(
    { length: 70_000 },
    (_, n) => `ether[${12 + n % 40}] = ${n & 255}`,
  );
  const any = filter(compared.join(" or "));
  const none = filter(compared.map((one) => `not ${one}`).join(" and "));
  const zeros = new Uint8Array(60);
  for (const frame of [zeros, zeros.map((_, at) => at), zeros.slice(0, 20)]) {
    const expected = matchesText(any.program, frame);
    for (let round = 0; round < 3; round++) {
      strictEqual(any.matches(frame), expected);
    }
    strictEqual(none.matches(frame), frame.length === 60 && !expected);
  }
});

Deno.test("grants that lead in more ways than that to one place are refused", () => {
  const roots = (count: number) =>
    Array.from({ length: count }, (_, i) => ({
      slot: i + 1,
      children: [],
      grant: Array.from(
        { length: 64 },
        (_, j) =>
          ipv4().udp().dst(`10.0.${i >> 8}.${i & 255}`)
            .dstPort(4 * j, 4 * j + 2).grant[0]!,
      ),
    }));
  ok(emitWasm(mergeTree(roots(900)), [], MEMORY_PAGES).module.length > 0);
  throws(
    () => emitWasm(mergeTree(roots(950)), [], MEMORY_PAGES),
    /FilterLimitError: .*60000 ways/,
  );
});
