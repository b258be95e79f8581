/**
 * Filters as text, in the language of pcap-filter(7): {@link filter} for what
 * matches, with libpcap's meaning to the letter; {@link grant} for what a
 * capability can stand for.
 */

import { given } from "../../../caps/kernel/given.ts";
import {
  type Batch,
  batchAt,
  FRAMES_OFFSET,
  makePacketMemory,
  type PacketMemory,
  PAGE_BYTES,
  RECEIVE_BATCH_OFFSET,
  wasmPagesOf,
} from "../../../caps/memory/memory.ts";
import { SLOT_NONE } from "../../../caps/kernel/slots.ts";
import { compileText } from "../language/compile.ts";
import { matchesText } from "../language/interpret.ts";
import type { Program } from "../language/ir.ts";
import { FilterLimitError } from "../tree/merge.ts";
import type { LinkType } from "../../wire/link_type.ts";
import { compileFilterWasm } from "../wasm/filter_module.ts";

export { grant } from "../grant/text/grant_text.ts";
export { FilterError } from "../language/error.ts";
export type { LinkType } from "../../wire/link_type.ts";

/** How a text is compiled. */
export interface FilterOptions {
  /** What the packets begin with; Ethernet unless said otherwise. */
  readonly linkType?: LinkType;
  /** The network's mask, for `ip broadcast`; the first byte is the highest. */
  readonly netmask?: number;
}

/**
 * Compiles a filter text: `tcp dst port 443 and not src net 10.0.0.0/8`.
 *
 * @throws {FilterError} with the column, and what was expected there.
 */
export function filter(
  text: string,
  options: FilterOptions = {},
): CompiledFilter {
  const { linkType = "ethernet", netmask } = options;
  const program = compileText(text, {
    linkType,
    ...given({ netmask }),
  });
  return new CompiledFilter(text, program);
}

/** A filter text, ready to be asked. */
export class CompiledFilter {
  /** As it was written. */
  readonly text: string;
  /** What it says, for backends. */
  readonly program: Program;
  #run: Run | undefined;

  /** Takes what `text` was compiled to. */
  constructor(text: string, program: Program) {
    this.text = text;
    this.program = program;
  }

  /** What the packets begin with. */
  get linkType(): LinkType {
    return this.program.linkType;
  }

  /**
   * Whether the packet `bytes[start .. start + length)` matches, of which
   * `wireLength` bytes were on the wire (`len`, `less`, `greater`).
   *
   * @throws {RangeError} when the packet is not within `bytes`.
   */
  matches(
    bytes: Uint8Array,
    start: number = 0,
    length: number = bytes.length - start,
    wireLength: number = length,
  ): boolean {
    if (!(start >= 0 && length >= 0 && start + length <= bytes.length)) {
      throw new RangeError(
        `filter: ${length} bytes from ${start} on; there are ${bytes.length}`,
      );
    }
    const { memory, batch } = ground ??= makeGround();
    // The compiled filter knows one length only.
    if (length > ROOM_BYTES || wireLength !== length) {
      return matchesText(this.program, bytes, start, length, wireLength);
    }
    const packet = bytes.subarray(start, start + length);
    memory.bytes.set(packet, FRAMES_OFFSET);
    batch.offset[0] = FRAMES_OFFSET;
    batch.length[0] = length;
    if (this.#run === undefined) this.#run = instantiate(this.program, memory);
    if (this.#run === "too large") return matchesText(this.program, packet);
    this.#run(batch.address, 1);
    return batch.slot[0] !== SLOT_NONE;
  }
}

/** Frames of memory that one packet may fill: all that a capture has by default. */
const ROOM_FRAMES = 64;
const ROOM_BYTES = ROOM_FRAMES * PAGE_BYTES;

/** Where packets are put to be asked about: one place for all filters of a thread. */
let ground:
  | { readonly memory: PacketMemory; readonly batch: Batch }
  | undefined;

function makeGround(): NonNullable<typeof ground> {
  const memory = makePacketMemory(ROOM_FRAMES);
  return { memory, batch: batchAt(memory, RECEIVE_BATCH_OFFSET) };
}

/** Decides on a batch; or what is too large to be a module, and is interpreted. */
type Run = ((batch: number, count: number) => void) | "too large";

function instantiate(program: Program, memory: PacketMemory): Run {
  const module = moduleOf(program, wasmPagesOf(memory));
  if (module === undefined) return "too large";
  const { exports } = new WebAssembly.Instance(module, {
    env: { memory: memory.wasm },
  });
  return exports.classify as (batch: number, count: number) => void;
}

/** The module of a program; undefined where it would be more than a module may be. */
function moduleOf(
  program: Program,
  pages: number,
): WebAssembly.Module | undefined {
  try {
    return new WebAssembly.Module(compileFilterWasm(program, pages).module);
  } catch (error) {
    const isTooLarge = error instanceof FilterLimitError ||
      error instanceof WebAssembly.CompileError;
    if (!isTooLarge) throw error;
    return undefined;
  }
}
