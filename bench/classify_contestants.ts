/**
 * The three that `classify` compares. Each fills the slots of a whole batch in
 * one call, so that crossing into C or Wasm costs a packet nothing to speak of.
 */

import { type Batch, BATCH_MAX, type PacketMemory } from "../caps/memory.ts";
import { mergeTree } from "../services/filter/tree.ts";
import { emitWasm } from "../services/filter/wasm/emit.ts";
import { build } from "./build.ts";
import type { CaseFilter } from "./classify_cases.ts";

/** Classifies the whole batch, once. */
export type ClassifyBatch = () => void;

/** What is classified. */
export interface Ground {
  readonly memory: PacketMemory;
  readonly batch: Batch;
}

/** Our compiler's Wasm over the merged tree of all filters. */
export function wasmClassifier(
  { memory, batch }: Ground,
  filters: readonly CaseFilter[],
): ClassifyBatch {
  const tree = mergeTree(
    filters.map(({ slot, grant }) => ({ slot, grant, children: [] })),
  );
  const memoryPages = memory.bytes.byteLength / 65536;
  const program = emitWasm(tree, [], memoryPages);
  const instance = new WebAssembly.Instance(
    new WebAssembly.Module(program.module),
    { env: { memory: memory.wasm } },
  );
  const classify = instance.exports.classify as (
    batch: number,
    count: number,
  ) => void;
  const address = batch.address;
  return () => classify(address, BATCH_MAX);
}

const batchCall = {
  parameters: ["pointer", "u32", "u32"],
  result: "void",
} as const;

const cSymbols = {
  classify_1: batchCall,
  classify_10: batchCall,
  classify_many: batchCall,
  tables_reset: { parameters: ["u32"], result: "i32" },
  tables_add_port: { parameters: ["u32", "u32"], result: "void" },
  tables_add_flow: { parameters: ["u32", "u32", "u32"], result: "void" },
} as const;

const pcapSymbols = {
  libpcap_reset: { parameters: [], result: "void" },
  libpcap_add: { parameters: ["buffer"], result: "i32" },
  libpcap_classify: batchCall,
} as const;

/** A reference that was built, ready to be given filters; or why there is none. */
export type MakeClassifier =
  | ((ground: Ground, filters: readonly CaseFilter[]) => ClassifyBatch)
  | string;

/** bench/reference/classify.c. Of two classifiers with many filters only the last made is good. */
export async function cClassifiers(): Promise<MakeClassifier> {
  const built = await build({ name: "classify", kind: "library" });
  if ("missing" in built) return built.missing;
  const { symbols } = Deno.dlopen(built.path, cSymbols);
  return ({ memory, batch }, filters) => {
    const { address } = batch;
    const bytes = Deno.UnsafePointer.of(memory.bytes);
    if (filters.length === 1) {
      return () => symbols.classify_1(bytes, address, BATCH_MAX);
    }
    if (filters.length === 10) {
      return () => symbols.classify_10(bytes, address, BATCH_MAX);
    }
    // Flow places: at least twice as many as there are flows.
    const bits = Math.ceil(Math.log2(filters.length)) + 1;
    if (symbols.tables_reset(bits) !== 0) throw new Error("no memory for C");
    for (const { slot, wants } of filters) {
      if (wants.protocol === "udp") symbols.tables_add_port(wants.port, slot);
      else {
        const ports = (wants.sourcePort ?? 0) * 65536 + wants.port;
        symbols.tables_add_flow(wants.source ?? 0, ports, slot);
      }
    }
    return () => symbols.classify_many(bytes, address, BATCH_MAX);
  };
}

/** libpcap's interpreter, one filter after another. Only the last made is good. */
export async function libpcapClassifiers(): Promise<MakeClassifier> {
  const built = await build({
    name: "libpcap_loop",
    kind: "library",
    link: ["-l:libpcap.so.0.8"],
  });
  if ("missing" in built) return built.missing;
  const { symbols } = Deno.dlopen(built.path, pcapSymbols);
  return ({ memory, batch }, filters) => {
    const { address } = batch;
    const bytes = Deno.UnsafePointer.of(memory.bytes);
    symbols.libpcap_reset();
    for (const { text } of filters) {
      if (symbols.libpcap_add(new TextEncoder().encode(`${text}\0`)) < 0) {
        throw new Error(`libpcap does not compile: ${text}`);
      }
    }
    return () => symbols.libpcap_classify(bytes, address, BATCH_MAX);
  };
}
