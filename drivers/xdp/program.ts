/**
 * A kernel program's way from a specification (caps/driver/program.ts) to one that is
 * loaded: its maps are made and filled, its references to them resolved.
 */

import type {
  KernelMap,
  KernelMapChange,
  KernelProgram,
} from "../../caps/driver/program.ts";
import { BPF_LD_IMM64, BPF_PSEUDO_MAP_FD, BpfMapType } from "../sys/abi.ts";
import { BpfMap, BpfProgram, type LoadOptions } from "../sys/bpf.ts";

/** Bytes of the tag that a flow's value is. */
const CAPABILITY_TAG_BYTES = 8;

const INSTRUCTION_BYTES = 8;

/** How a kernel program is loaded. */
export interface KernelProgramOptions extends LoadOptions {
  /** The sockets by receive queue; the program's `sockets` maps are this one. */
  readonly sockets: BpfMap;
}

/** A socket map with room for `queueCount` receive queues. */
export function makeSocketMap(queueCount: number): BpfMap {
  return new BpfMap({
    type: BpfMapType.XSKMAP,
    keyBytes: 4,
    valueBytes: 4,
    entriesMax: queueCount,
    name: "sp_sockets",
  });
}

/** A kernel program that is loaded, with the maps that it was loaded with. */
export class LoadedProgram implements Disposable {
  /** The program. */
  readonly program: BpfProgram;
  readonly #maps: readonly BpfMap[];
  /** By index in the program. */
  readonly #flows: ReadonlyMap<number, BpfMap>;
  readonly #counters: readonly {
    readonly map: BpfMap;
    readonly reasons: readonly string[];
  }[];

  /**
   * Loads `specification`.
   *
   * @throws {SystemError} when the kernel refuses a map or the program; nothing
   * is left behind then.
   * @throws {RangeError} when the specification contradicts itself.
   */
  constructor(specification: KernelProgram, options: KernelProgramOptions) {
    using owned = new DisposableStack();
    const counters: { map: BpfMap; reasons: readonly string[] }[] = [];
    const flows = new Map<number, BpfMap>();
    const maps = specification.maps.map((wanted, index) => {
      if (wanted.kind === "sockets") return options.sockets;
      const map = owned.use(makeMap(wanted));
      if (wanted.kind === "counters") {
        counters.push({ map, reasons: wanted.reasons });
      } else {
        fillFlows(map, wanted);
        flows.set(index, map);
      }
      return map;
    });
    const { instructions, relocations } = specification;
    const code = relocate(instructions, relocations, maps);
    this.program = new BpfProgram(code, options);
    this.#maps = maps.filter((map) => map !== options.sockets);
    this.#flows = flows;
    this.#counters = counters;
    owned.move();
  }

  /**
   * Changes flows, one after the other.
   * @throws {SystemError} when the kernel refuses one (E2BIG: the map is full).
   * @throws {RangeError} when there is no such map.
   */
  update(changes: readonly KernelMapChange[]): void {
    for (const { map, key, value } of changes) {
      const flows = this.#flows.get(map);
      if (flows === undefined) {
        throw new RangeError(`kernel program: map ${map} has no flows`);
      }
      if (value === undefined) flows.delete(key);
      else flows.update(key, value);
    }
  }

  /** Adds what the program has counted so far to `into`, by reason. */
  addCounters(into: Map<string, number>): void {
    const key = new Uint8Array(4);
    for (const { map, reasons } of this.#counters) {
      for (const [index, reason] of reasons.entries()) {
        new DataView(key.buffer).setUint32(0, index, true);
        const value = map.lookup(key);
        if (value === undefined) continue;
        const count = Number(
          new DataView(value.buffer).getBigUint64(0, true),
        );
        into.set(reason, (into.get(reason) ?? 0) + count);
      }
    }
  }

  /** Closes it; while a link uses it, the kernel keeps it. */
  [Symbol.dispose](): void {
    this.program[Symbol.dispose]();
    for (const map of this.#maps) map[Symbol.dispose]();
  }
}

type OwnedMap = Exclude<KernelMap, { kind: "sockets" }>;

function makeMap(wanted: OwnedMap): BpfMap {
  if (wanted.kind === "counters") {
    return new BpfMap({
      type: BpfMapType.ARRAY,
      keyBytes: 4,
      valueBytes: 8,
      entriesMax: Math.max(1, wanted.reasons.length),
      name: "sp_counters",
    });
  }
  return new BpfMap({
    type: BpfMapType.HASH,
    keyBytes: wanted.keyBytes,
    valueBytes: CAPABILITY_TAG_BYTES,
    entriesMax: Math.max(1, wanted.entriesMax),
    name: "sp_flows",
  });
}

function fillFlows(map: BpfMap, wanted: KernelMap & { kind: "flows" }): void {
  const stride = wanted.keyBytes + CAPABILITY_TAG_BYTES;
  const { entries } = wanted;
  if (entries.length % stride !== 0) {
    throw new RangeError(
      `kernel program: ${entries.length} bytes of flows are no multiple of ${stride}`,
    );
  }
  const count = entries.length / stride;
  const keys = new Uint8Array(count * wanted.keyBytes);
  const values = new Uint8Array(count * CAPABILITY_TAG_BYTES);
  // Views of each would take longer than the call itself.
  let [from, key, value] = [0, 0, 0];
  for (let index = 0; index < count; index++) {
    for (let n = 0; n < wanted.keyBytes; n++) keys[key++] = entries[from++]!;
    for (let n = 0; n < CAPABILITY_TAG_BYTES; n++) {
      values[value++] = entries[from++]!;
    }
  }
  map.updateAll(keys, values);
}

/**
 * The instructions with the maps' descriptors in their places. An `ld_imm64`
 * takes two instructions' room:
 *
 * ```
 * ├ 0x18 ┼ dst | src << 4 ┼ offset (2) ┼ immediate (4) ┤├ 0 … ┼ immediate, high ┤
 * ```
 */
export function relocate(
  instructions: KernelProgram["instructions"],
  relocations: KernelProgram["relocations"],
  maps: readonly BpfMap[],
): Uint8Array<ArrayBuffer> {
  const code = instructions.slice();
  const view = new DataView(code.buffer);
  for (const { instruction, map } of relocations) {
    const at = instruction * INSTRUCTION_BYTES;
    const target = maps[map];
    if (
      target === undefined || at + 2 * INSTRUCTION_BYTES > code.length ||
      code[at] !== BPF_LD_IMM64
    ) {
      throw new RangeError(
        `kernel program: the relocation of instruction ${instruction} to map ${map} points nowhere`,
      );
    }
    code[at + 1] = (code[at + 1]! & 0x0f) | (BPF_PSEUDO_MAP_FD << 4);
    view.setInt32(at + 4, target.descriptor, true);
    view.setInt32(at + 12, 0, true);
  }
  return code;
}
