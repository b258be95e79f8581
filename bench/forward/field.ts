/** What `forward` runs on: two NICs, the packets between them, and who forwards them. */

import {
  FRAMES_OFFSET,
  makePacketMemory,
  type PacketMemory,
  wasmPagesOf,
} from "../../caps/memory/memory.ts";
import { TagTable } from "../../caps/kernel/tag_table.ts";
import { Classifier } from "../../drivers/service/classifier.ts";
import { ipv4 } from "../../services/filter/grant/builder.ts";
import { mergeTree } from "../../services/filter/tree/merge.ts";
import { emitWasm } from "../../services/filter/wasm/emit.ts";
import { build } from "../build.ts";
import { addressWords, Forwarder } from "./forwarder.ts";
import { RING_ENTRIES, RingNic, RINGS_BYTES } from "./ring_nic.ts";

const PORT = 9000;
const FRAMES = 2 * RING_ENTRIES;

/** Two NICs over one packet memory. */
export interface Field {
  readonly memory: PacketMemory;
  readonly rings: SharedArrayBuffer;
  readonly nics: readonly [RingNic, RingNic];
  /** A packet arrives in every free frame. Returns how many. */
  arrive(): number;
  /** Empties the transmit rings. @throws unless `count` packets left, each with its new addresses. */
  leave(count: number): void;
}

/** Two NICs that are ready, all frames provided. */
function makeField(): Field {
  const memory = makePacketMemory(FRAMES);
  const rings = new SharedArrayBuffer(2 * RINGS_BYTES);
  const nics = [
    new RingNic(memory, "a", { rings, at: 0 }),
    new RingNic(memory, "b", { rings, at: RINGS_BYTES }),
  ] as const;
  const frames = Uint32Array.from({ length: FRAMES }, (_, i) => i);
  nics[0].provide(frames, RING_ENTRIES);
  nics[1].provide(frames.subarray(RING_ENTRIES), RING_ENTRIES);
  const packet = datagram();
  const leaveBy = (nic: RingNic) =>
    nic.leave((offset, length) => {
      const source = memory.bytes[offset + 11];
      if (length !== packet.length || source !== nic.info.mac[5]) {
        throw new Error("forward: a packet left without its new addresses");
      }
    });
  return {
    memory,
    rings,
    nics,
    arrive: () =>
      nics[0].arrive(memory, packet) + nics[1].arrive(memory, packet),
    leave(count) {
      const left = leaveBy(nics[0]) + leaveBy(nics[1]);
      if (left !== count) {
        throw new Error(`forward: ${left} of ${count} packets left`);
      }
    },
  };
}

/** One turn both ways: returns how many packets came. */
type Turn = () => number;

/** Somebody who forwards, on a field of its own. */
export interface Contestant {
  readonly field: Field;
  readonly forward: Turn;
}

/** Who forwards, or why not, and the core's clock. */
export async function contestants(batchMax: number): Promise<
  {
    readonly ours: Contestant;
    readonly inC: Contestant | string;
    readonly cyclesPerNs: () => number;
  }
> {
  const [mine, other] = [makeField(), makeField()];
  const c = await inC(other, batchMax);
  return {
    ours: { field: mine, forward: ours(mine, batchMax) },
    inC: typeof c === "string" ? c : { field: other, forward: c.turn },
    cyclesPerNs: typeof c === "string" ? nominal : c.cyclesPerNs,
  };
}

function ours({ memory, nics: [a, b] }: Field, batchMax: number): Turn {
  const grant = ipv4().udp().dstPort(PORT).grant;
  const tree = mergeTree([{ slot: 1, grant, children: [] }]);
  const classifier = new Classifier(memory, new TagTable(1));
  classifier.install(emitWasm(tree, [], wasmPagesOf(memory)));
  const forwarder = new Forwarder(memory, classifier, batchMax);
  const there = { from: a, to: b, addresses: addressesBy(b) };
  const back = { from: b, to: a, addresses: addressesBy(a) };
  return () => forwarder.turn(there) + forwarder.turn(back);
}

/** The next hop behind each NIC, and the NIC. */
function addressesBy(nic: RingNic): Uint16Array<ArrayBuffer> {
  return addressWords(Uint8Array.of(2, 0x53, 0x50, 0, 1, 0), nic.info.mac);
}

/** bench/reference/forward.c, or why not. */
async function inC(
  { memory, rings, nics: [a, b] }: Field,
  batchMax: number,
): Promise<{ turn: Turn; cyclesPerNs: () => number } | string> {
  const built = await build({ name: "forward", kind: "library" });
  if ("missing" in built) return built.missing;
  const { forward, cycles_per_ns } = Deno.dlopen(built.path, {
    forward: {
      parameters: ["pointer", "pointer", "pointer", "buffer", "u32", "u32"],
      result: "u32",
    },
    cycles_per_ns: { parameters: [], result: "f64" },
  }).symbols;
  const at = (bytes: Uint8Array<SharedArrayBuffer>) =>
    Deno.UnsafePointer.of(bytes);
  const frames = at(memory.bytes.subarray(FRAMES_OFFSET));
  const ringsOfA = at(new Uint8Array(rings, 0));
  const ringsOfB = at(new Uint8Array(rings, RINGS_BYTES));
  const byA = addressesBy(a);
  const byB = addressesBy(b);
  return {
    turn: () =>
      forward(frames, ringsOfA, ringsOfB, byB, batchMax, PORT) +
      forward(frames, ringsOfB, ringsOfA, byA, batchMax, PORT),
    cyclesPerNs: cycles_per_ns,
  };
}

/** What the kernel says of the first processor; 0 where it says nothing. */
function nominal(): number {
  const [, mhz] = Deno.readTextFileSync("/proc/cpuinfo")
    .match(/^cpu MHz\s*: ([\d.]+)/m) ?? [];
  return Number(mhz ?? 0) / 1000;
}

/** An IPv4 UDP frame of 64 bytes, the four of its checksum on the wire among them. */
function datagram(): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(60);
  const view = new DataView(bytes.buffer);
  view.setUint16(12, 0x0800);
  view.setUint8(14, 0x45);
  view.setUint16(16, bytes.length - 14);
  view.setUint8(22, 64);
  view.setUint8(23, 17);
  view.setUint16(36, PORT);
  view.setUint16(38, bytes.length - 34);
  return bytes;
}
