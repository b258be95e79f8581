/**
 * What a filter compiler hands to a driver. The two sides never import each
 * other: this is all they share.
 */

/**
 * A classifier as a WebAssembly module.
 *
 * It imports `env.memory` (shared packet memory, with `memoryPages` as initial
 * and maximum) and exports:
 *
 * - `classify(batch: i32, count: i32)`: for each of the first `count` packets of
 *   the batch at address `batch` (caps/memory/memory.ts), reads its bytes where they
 *   lie and writes the slot of the deepest grant that it matches, or 0;
 * - `permit(batch: i32, count: i32, slot: i32)`: the same walk for sending:
 *   writes `slot` for each packet that the send grant of `slot` matches, and 0
 *   for the others.
 *
 * It reads only the packets, `batch` and its own tables between
 * `TABLES_OFFSET` and `TABLES_OFFSET + TABLES_BYTES`, which its data segments
 * fill when it is instantiated.
 */
export interface WasmProgram {
  /** The module's bytes: equal trees give equal bytes. */
  readonly module: Uint8Array<ArrayBuffer>;
  /** 64 KiB pages of the memory that it was compiled for. */
  readonly memoryPages: number;
}

/**
 * Changes to the tables of a running {@link WasmProgram}, for between two
 * batches: the address of a 32-bit word in packet memory and the word, by turns,
 * in order.
 */
export type WasmPatch = Uint32Array<ArrayBuffer>;

/** A change to a map of a running {@link KernelProgram}: of one flow, atomic for each packet. */
export interface KernelMapChange {
  /** The map's index in the program. */
  readonly map: number;
  /** The flow, as the map has it: `keyBytes` bytes. */
  readonly key: Uint8Array<ArrayBuffer>;
  /** The flow's tag from now on; absent when it goes. */
  readonly value?: Uint8Array<ArrayBuffer>;
}

/** A map that a kernel program uses. Values and keys are in host byte order as the program reads them. */
export type KernelMap =
  | {
    /** Sockets by receive queue; the driver fills it. */
    readonly kind: "sockets";
  }
  | {
    /** 64-bit counts by reason; `reasons[i]` names index i. */
    readonly kind: "counters";
    readonly reasons: readonly string[];
  }
  | {
    /** Exact flows of one shape: key bytes to the 8 bytes of a tag. */
    readonly kind: "flows";
    readonly keyBytes: number;
    readonly entriesMax: number;
    /** Keys and values, one after the other: `keyBytes + 8` bytes an entry. */
    readonly entries: Uint8Array<ArrayBuffer>;
  };

/**
 * An XDP program before it is loaded (a specification: no file descriptors).
 *
 * For a packet that belongs to a live grant it writes the grant's 64-bit tag in
 * front of the packet and redirects it to the socket of its receive queue; all
 * else goes to the kernel's stack, or is dropped, as it was compiled for.
 */
export interface KernelProgram {
  /** eBPF instructions, 8 bytes each, little-endian. */
  readonly instructions: Uint8Array<ArrayBuffer>;
  /** The maps, by index. */
  readonly maps: readonly KernelMap[];
  /** Which 16-byte `ld_imm64` instruction (by its index) wants which map's file descriptor. */
  readonly relocations: readonly {
    readonly instruction: number;
    readonly map: number;
  }[];
}

/**
 * A classic BPF program for a packet socket (a specification, as above): it only
 * says which packets are not worth having. What it lets through is classified in
 * packet memory; what it refuses is nobody's.
 *
 * A VLAN tag is not in the packet that it reads, but beside it: the kernel takes
 * tags out before packet sockets see them.
 */
export interface SocketFilter {
  /** `struct sock_filter` (linux/filter.h), 8 bytes each, little-endian. */
  readonly instructions: Uint8Array<ArrayBuffer>;
}
