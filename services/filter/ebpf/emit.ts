/**
 * The XDP program for a merged tree of grants. It reads the frame where the NIC
 * put it, walks the tree, and for a packet that somebody holds a capability for
 * writes the capability's 64-bit tag in front of it and hands it to the socket
 * of its receive queue:
 *
 * ```
 *      data_meta            data                                data_end
 *  …───────┼── low ─┬─ high ──┼── the frame ───────────────────────┤
 *             u32       u32      little-endian
 * ```
 *
 * No tag written, never redirected: a claimed packet for whose queue there is no
 * socket, or that has no room for a tag, or that is larger than a frame of
 * packet memory, is dropped and counted. Each of these counts is a 64-bit value
 * in one map of type BPF_MAP_TYPE_ARRAY, added to atomically (they are counts
 * of drops: seldom enough that a copy for each processor would not pay).
 *
 * Loading it takes CAP_BPF and CAP_NET_ADMIN, and CAP_PERFMON as soon as a filter
 * reads behind an IP header, whose length varies: without that capability the
 * verifier refuses arithmetic of packet pointers with numbers that it does not
 * know. Root has all three. Linux 5.9 has everything used here and by the link
 * that attaches it.
 *
 * Source: struct xdp_md in include/uapi/linux/bpf.h; Documentation/networking/
 * af_xdp.rst.
 */

import type { KernelMap, KernelProgram } from "../../../caps/driver/program.ts";
import type { Tag } from "../../../caps/kernel/tag.ts";
import type { Accept, TreeNode } from "../tree/node.ts";
import { Code } from "./assembler.ts";
import { QUEUE_OFFSET } from "./frame.ts";
import {
  addImm,
  atomicAdd64,
  call,
  exit,
  HELPER,
  ja,
  jeqImm,
  jgtReg,
  jneImm,
  load,
  loadMap,
  movImm,
  movReg,
  R0,
  R1,
  R10,
  R2,
  R3,
  R6,
  R7,
  R8,
  R9,
  store,
} from "./instruction.ts";
import {
  FRAME_BYTES_MAX,
  INSTRUCTIONS_MAX,
  ProgramTooLarge,
} from "./limits.ts";
import { FlowTables, type RunningTables } from "./tables.ts";
import { emitTree } from "./walk.ts";

/** How a program is to be emitted. */
export interface EbpfOptions {
  /** Where packets go that nobody holds a capability for: up the kernel's own stack, or nowhere. */
  readonly unclaimed: "kernel" | "drop";
}

/** What a program counts, by index in its map of counters. All are drops. */
export const EBPF_COUNTERS: readonly string[] = [
  "unclaimed",
  "no-socket",
  "no-tag-room",
  "too-long",
];

const COUNTER = { UNCLAIMED: 0, NO_SOCKET: 1, NO_TAG_ROOM: 2, TOO_LONG: 3 };

/** What the program says is to become of the packet (enum xdp_action). */
const XDP = { DROP: 1, PASS: 2 } as const;

/** Offsets in struct xdp_md. */
const CONTEXT = { DATA: 0, DATA_END: 4, DATA_META: 8, QUEUE: 16 } as const;

/** Bytes of a tag. */
const CAPABILITY_TAG_BYTES = 8;

const SOCKETS_MAP = 0;
const COUNTERS_MAP = 1;
const FIRST_FLOWS_MAP = 2;

/**
 * Compiles `tree`. `tagOf` gives the tag of a slot: never 0. Equal trees and
 * tags give equal programs.
 *
 * @throws {ProgramTooLarge} when the kernel would not take it (see limits.ts):
 * classify in packet memory then.
 */
export function emitEbpf(
  tree: TreeNode,
  tagOf: (slot: number) => Tag,
  options: EbpfOptions,
): KernelProgram {
  return emitEbpfTables(tree, tagOf, options).program;
}

/** Emits as {@link emitEbpf} does, and returns the tables in which flows can come and go later, too. */
export function emitEbpfTables(
  tree: TreeNode,
  tagOf: (slot: number) => Tag,
  options: EbpfOptions,
): { readonly program: KernelProgram; readonly tables: RunningTables } {
  const code = new Code();
  const tables = new FlowTables(FIRST_FLOWS_MAP);
  code.push(
    movReg(R6, R1),
    load(4, R7, R6, CONTEXT.DATA),
    load(4, R8, R6, CONTEXT.DATA_END),
  );
  const labels = { claim: "claim", unclaimed: "unclaimed" };
  const derived = new Map<Accept, string>();
  emitTree({ code, tables, tagOf, ...labels, derived, depth: 0 }, tree);
  emitUnclaimed(code, options);
  emitClaim(code);
  emitDrops(code);

  const { instructions, relocations } = code.assemble();
  if (instructions.length > INSTRUCTIONS_MAX * 8) {
    throw new ProgramTooLarge(
      `it has ${
        instructions.length / 8
      } instructions; ${INSTRUCTIONS_MAX} is the most`,
    );
  }
  const fixed: KernelMap[] = [
    { kind: "sockets" },
    { kind: "counters", reasons: EBPF_COUNTERS },
  ];
  const maps = [...fixed, ...tables.maps()];
  const program = { instructions, relocations, maps };
  return { program, tables: tables.running() };
}

/** Ends a packet that has no receiver. */
function emitUnclaimed(code: Code, options: EbpfOptions): void {
  code.label("unclaimed");
  if (options.unclaimed === "kernel") {
    code.push(movImm(R0, XDP.PASS), exit());
    return;
  }
  code.push(movImm(R1, COUNTER.UNCLAIMED), ja("drop"));
}

/** Somebody does, and the tag is in r9. */
function emitClaim(code: Code): void {
  code.label("claim");
  code.push(
    // Larger than a frame of packet memory?
    movReg(R1, R7),
    addImm(R1, FRAME_BYTES_MAX),
    jgtReg(R8, R1, "too-long"),
    // Is there a socket?
    load(4, R2, R6, CONTEXT.QUEUE),
    store(4, R10, QUEUE_OFFSET, R2),
    loadMap(R1, SOCKETS_MAP),
    movReg(R2, R10),
    addImm(R2, QUEUE_OFFSET),
    call(HELPER.MAP_LOOKUP_ELEM),
    jeqImm(R0, 0, "no-socket"),
    // Room for the tag, exactly in front of the frame. The pointers of before
    // hold no longer.
    movReg(R1, R6),
    movImm(R2, -CAPABILITY_TAG_BYTES),
    call(HELPER.XDP_ADJUST_META),
    jneImm(R0, 0, "no-tag-room"),
    load(4, R2, R6, CONTEXT.DATA_META),
    load(4, R1, R6, CONTEXT.DATA),
    movReg(R3, R2),
    addImm(R3, CAPABILITY_TAG_BYTES),
    jgtReg(R3, R1, "no-tag-room"),
    jgtReg(R1, R3, "no-tag-room"),
    store(8, R2, 0, R9),
    // To the socket; should it be closed by now, drop.
    loadMap(R1, SOCKETS_MAP),
    load(4, R2, R10, QUEUE_OFFSET),
    movImm(R3, XDP.DROP),
    call(HELPER.REDIRECT_MAP),
    exit(),
  );
}

/** The drops, each counted. */
function emitDrops(code: Code): void {
  const reasons = [
    ["no-socket", COUNTER.NO_SOCKET],
    ["no-tag-room", COUNTER.NO_TAG_ROOM],
    ["too-long", COUNTER.TOO_LONG],
  ] as const;
  for (const [label, counter] of reasons) {
    code.label(label);
    code.push(movImm(R1, counter), ja("drop"));
  }
  code.label("drop");
  code.push(
    store(4, R10, QUEUE_OFFSET, R1),
    loadMap(R1, COUNTERS_MAP),
    movReg(R2, R10),
    addImm(R2, QUEUE_OFFSET),
    call(HELPER.MAP_LOOKUP_ELEM),
    jeqImm(R0, 0, "dropped"),
    movImm(R1, 1),
    atomicAdd64(R0, 0, R1),
  );
  code.label("dropped");
  code.push(movImm(R0, XDP.DROP), exit());
}
