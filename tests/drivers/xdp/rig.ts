/**
 * The AF_XDP driver in this very process for the conformance suite: the thread
 * enters a network namespace, and a packet socket in the other one is the far
 * side.
 */

import {
  makePacketMemory,
  type PacketMemory,
} from "../../../caps/memory/memory.ts";
import type { KernelProgram } from "../../../caps/driver/program.ts";
import type { Driver } from "../../../drivers/driver.ts";
import { ETH_P_ALL, MSG_DONTWAIT } from "../../../drivers/sys/abi.ts";
import { check, closeDescriptor, libc } from "../../../drivers/sys/libc.ts";
import { openNetworkInterface } from "../../../drivers/sys/network_interface.ts";
import { openXdp } from "../../../drivers/xdp/open.ts";
import { Code } from "../../../services/filter/ebpf/assembler.ts";
import * as e from "../../../services/filter/ebpf/instruction.ts";
import type { DriverRig } from "../../conformance/driver.ts";
import { INTERFACE, type NamespacePair } from "../../netns.ts";

/** The EtherType of the suite's frames. */
export const ETHER_TYPE = 0x88b5;

const AF_PACKET = 17;
const SOCK_RAW = 3;
const SOL_SOCKET = 1;
const SO_RCVBUFFORCE = 33;
const SOL_PACKET = 263;
const PACKET_IGNORE_OUTGOING = 23;
const CLONE_NEWNET = 0x40000000;
const RECEIVE_BUFFER_BYTES = 16 << 20;
const FRAME_BYTES_MAX = 65536;

/** More frames than both rings of 64 hold. */
const FRAMES = 192;
export const RING_ENTRIES = 64;

const calls = {
  open: { parameters: ["buffer", "i32"], result: "i32" },
  setns: { parameters: ["i32", "i32"], result: "i32" },
} as const;

let library: Deno.DynamicLibrary<typeof calls> | undefined;

/** The namespace at `path`, as a descriptor. */
export function openSpace(path: string): number {
  library ??= Deno.dlopen("libc.so.6", calls);
  const name = new TextEncoder().encode(`${path}\0`);
  const what = `cannot open ${path}`;
  return check(library.symbols.open(name, 0), { where: "open", what });
}

/** Moves this thread into a namespace. */
export function enter(space: number): void {
  const what = "cannot enter a namespace";
  const result = library?.symbols.setns(space, CLONE_NEWNET) ?? -1;
  check(result, { where: "setns", what });
}

export function enterNamed(name: string): void {
  const space = openSpace(`/var/run/netns/${name}`);
  enter(space);
  closeDescriptor(space);
}

/** An XDP driver in the right namespace, a packet socket in the left one. */
export function xdpRig(pair: NamespacePair): DriverRig {
  return vethRig(pair, (memory) => {
    const driver = openXdp({
      interfaceName: INTERFACE,
      memory,
      ringEntries: RING_ENTRIES,
    });
    driver.classify?.(etherTypeProgram());
    return driver;
  });
}

/** What `open` opens in the right namespace, a packet socket in the left one. */
export function vethRig(
  pair: NamespacePair,
  open: (memory: PacketMemory) => Driver,
  etherType: number = ETHER_TYPE,
): DriverRig {
  using back = new DisposableStack();
  const home = back.adopt(
    openSpace("/proc/thread-self/ns/net"),
    closeDescriptor,
  );
  back.defer(() => enter(home));
  enterNamed(pair.left.name);
  const far = back.adopt(
    openPacketSocket(INTERFACE, etherType),
    closeDescriptor,
  );
  enterNamed(pair.right.name);
  const memory = makePacketMemory(FRAMES);
  const driver = back.use(open(memory));
  const owned = back.move();
  return {
    driver,
    memory,
    inject: (frames) => {
      for (const frame of frames) send(far, frame);
    },
    collect: () => receiveAll(far),
    [Symbol.asyncDispose]: () => {
      owned.dispose();
      return Promise.resolve();
    },
  };
}

/** A socket that gets the suite's frames, or those of another type, and none that it sends itself. */
export function openPacketSocket(
  interfaceName = INTERFACE,
  etherType = ETHER_TYPE,
): number {
  const where = "far side";
  const protocol = ((etherType & 0xff) << 8) | (etherType >> 8);
  const socket = check(libc().socket(AF_PACKET, SOCK_RAW, 0), {
    where,
    what: "cannot open a packet socket",
  });
  const number = (value: number) => new Int32Array([value]).buffer;
  for (
    const [level, option, value] of [
      [SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER_BYTES],
      [SOL_PACKET, PACKET_IGNORE_OUTGOING, 1],
    ] as const
  ) {
    check(libc().setsockopt(socket, level, option, number(value), 4), {
      where,
      what: "cannot set an option",
    });
  }
  const address = new DataView(new ArrayBuffer(20));
  address.setUint16(0, AF_PACKET, true);
  address.setUint16(2, protocol, true);
  address.setInt32(4, openNetworkInterface(interfaceName).index, true);
  check(libc().bind(socket, address.buffer, 20), {
    where,
    what: "cannot bind",
  });
  return socket;
}

/** Sends a frame through a packet socket. */
export function send(socket: number, frame: Uint8Array): void {
  const bytes = new Uint8Array(frame);
  check(libc().write(socket, bytes, BigInt(bytes.length)), {
    where: "far side",
    what: `cannot send ${frame.length} bytes`,
  });
}

/** Takes all that has come to one. */
export function receiveAll(socket: number): Uint8Array[] {
  const frames: Uint8Array[] = [];
  const bytes = new Uint8Array(FRAME_BYTES_MAX);
  const size = BigInt(bytes.length);
  for (;;) {
    const length = libc().recv(socket, bytes, size, MSG_DONTWAIT);
    if (length <= 0) return frames;
    frames.push(bytes.slice(0, length));
  }
}

/** Claims an EtherType for tag 1, or all there is. */
export function etherTypeProgram(
  etherType: number = ETHER_TYPE,
): KernelProgram {
  const code = new Code();
  code.push(
    e.movReg(e.R6, e.R1),
    e.load(4, e.R7, e.R6, 0),
    e.load(4, e.R8, e.R6, 4),
    e.movReg(e.R1, e.R7),
    e.addImm(e.R1, 14),
    e.jgtReg(e.R1, e.R8, "pass"),
    e.load(2, e.R1, e.R7, 12),
    e.toBigEndian(e.R1, 16),
    ...(etherType === ETH_P_ALL ? [] : [e.jneImm(e.R1, etherType, "pass")]),
    e.movReg(e.R1, e.R6),
    e.movImm(e.R2, -8),
    e.call(e.HELPER.XDP_ADJUST_META),
    e.jneImm(e.R0, 0, "drop"),
    e.load(4, e.R2, e.R6, 8),
    e.load(4, e.R1, e.R6, 0),
    e.movReg(e.R3, e.R2),
    e.addImm(e.R3, 8),
    e.jgtReg(e.R3, e.R1, "drop"),
    e.loadImm64(e.R4, 1, 0),
    e.store(8, e.R2, 0, e.R4),
    e.loadMap(e.R1, 0),
    e.load(4, e.R2, e.R6, 16),
    e.movImm(e.R3, 1),
    e.call(e.HELPER.REDIRECT_MAP),
    e.exit(),
  );
  code.label("drop");
  code.push(e.movImm(e.R0, 1), e.exit());
  code.label("pass");
  code.push(e.movImm(e.R0, 2), e.exit());
  return { ...code.assemble(), maps: [{ kind: "sockets" }] };
}
