/**
 * Contestants that `classify` compares. Each fills the slots of a whole batch in one
 * call, so that crossing into C or Wasm costs a packet nothing to speak of.
 */

import { BATCH_MAX, wasmPagesOf } from "../../caps/memory/memory.ts";
import type { WasmProgram } from "../../caps/driver/program.ts";
import { filter } from "../../services/filter/text/filter.ts";
import { mergeTree } from "../../services/filter/tree/merge.ts";
import { emitWasm } from "../../services/filter/wasm/emit.ts";
import { compileFilterWasm } from "../../services/filter/wasm/filter_module.ts";
import { build } from "../build.ts";
import type { FlowCase } from "./flow_cases.ts";
import { type Classify, type Ground, overBatches } from "./ground.ts";

/** One filter text, compiled. */
export function wasmText(ground: Ground, text: string): Classify {
  const { program } = filter(text);
  return wasm(ground, compileFilterWasm(program, memoryPages(ground)));
}

/** The merged tree of all these flows' grants, compiled. */
export function wasmFlows(
  ground: Ground,
  flows: readonly FlowCase[],
): Classify {
  const tree = mergeTree(
    flows.map(({ slot, grant }) => ({ slot, grant, children: [] })),
  );
  return wasm(ground, emitWasm(tree, [], memoryPages(ground)));
}

function memoryPages({ memory }: Ground): number {
  return wasmPagesOf(memory);
}

function wasm(ground: Ground, program: WasmProgram): Classify {
  const module = new WebAssembly.Module(program.module);
  const env = { memory: ground.memory.wasm };
  const instance = new WebAssembly.Instance(module, { env });
  const classify = instance.exports.classify as (
    batch: number,
    count: number,
  ) => void;
  return overBatches(ground, (batch) => classify(batch, BATCH_MAX));
}

/** A reference that was built, ready to be given filters of its kind; or why there is none. */
export type Maker<Filters> =
  | ((ground: Ground, filters: Filters) => Classify)
  | string;

/** Memory, batch, count. */
const batchCall = {
  parameters: ["pointer", "u32", "u32"],
  result: "void",
} as const;

/** Classifies a batch by a set of filters. */
const setCall = {
  parameters: ["pointer", "pointer", "u32", "u32"],
  result: "void",
} as const;

/** bench/reference/texts.c: the text's function, by number. */
export async function cText(): Promise<Maker<number>> {
  const built = await build({ name: "texts", kind: "library" });
  if ("missing" in built) return built.missing;
  const { symbols } = Deno.dlopen(built.path, {
    text_0: batchCall,
    text_1: batchCall,
    text_2: batchCall,
    text_3: batchCall,
  });
  const { text_0, text_1, text_2, text_3 } = symbols;
  const functions = [text_0, text_1, text_2, text_3];
  return (ground, number) => {
    const classify = functions[number]!;
    const bytes = Deno.UnsafePointer.of(ground.memory.bytes);
    return overBatches(ground, (batch) => classify(bytes, batch, BATCH_MAX));
  };
}

/** bench/reference/flows.c. */
export async function cFlows(): Promise<Maker<readonly FlowCase[]>> {
  const built = await build({ name: "flows", kind: "library" });
  if ("missing" in built) return built.missing;
  const { symbols } = Deno.dlopen(built.path, {
    classify_10: batchCall,
    classify_many: setCall,
    tables_make: { parameters: ["u32"], result: "pointer" },
    tables_add_port: { parameters: ["pointer", "u32", "u32"], result: "void" },
    tables_add_flow: {
      parameters: ["pointer", "u32", "u32", "u32"],
      result: "void",
    },
  });
  return (ground, flows) => {
    const bytes = Deno.UnsafePointer.of(ground.memory.bytes);
    if (flows.length === 10) {
      const { classify_10 } = symbols;
      return overBatches(
        ground,
        (batch) => classify_10(bytes, batch, BATCH_MAX),
      );
    }
    // Places of flows: at least twice as many as there are flows.
    const tables = symbols.tables_make(Math.ceil(Math.log2(flows.length)) + 1);
    if (tables === null) throw new Error("no memory for C");
    for (const { slot, wants } of flows) {
      if (wants.protocol === "udp") {
        symbols.tables_add_port(tables, wants.port, slot);
      } else {
        const ports = (wants.sourcePort ?? 0) * 65536 + wants.port;
        symbols.tables_add_flow(tables, wants.source ?? 0, ports, slot);
      }
    }
    const { classify_many } = symbols;
    return overBatches(
      ground,
      (batch) => classify_many(tables, bytes, batch, BATCH_MAX),
    );
  };
}

/** bench/reference/libpcap.c: bpf_filter, one text after another. */
export async function libpcapTexts(): Promise<Maker<readonly string[]>> {
  const link = ["-l:libpcap.so.0.8"];
  const built = await build({ name: "libpcap", kind: "library", link });
  if ("missing" in built) return built.missing;
  const { symbols } = Deno.dlopen(built.path, {
    filters_make: { parameters: ["u32"], result: "pointer" },
    filters_add: { parameters: ["pointer", "buffer"], result: "i32" },
    filters_classify: setCall,
  });
  return (ground, texts) => {
    const bytes = Deno.UnsafePointer.of(ground.memory.bytes);
    const filters = symbols.filters_make(texts.length);
    for (const text of texts) {
      const line = new TextEncoder().encode(`${text}\0`);
      if (filters === null || symbols.filters_add(filters, line) < 0) {
        throw new Error(`libpcap does not compile: ${text}`);
      }
    }
    const { filters_classify } = symbols;
    return overBatches(
      ground,
      (batch) => filters_classify(filters, bytes, batch, BATCH_MAX),
    );
  };
}
