/**
 * Which of its queues a packet comes by, chosen in the kernel by a program: each
 * flow has its own, always the same. The kernel's own way moves a flow to the
 * queue that it was last answered on (`tun_flow_update`), and what waits in the
 * queue before is then overtaken.
 *
 * A program is at the network header of a TUN, at the Ethernet header of a TAP;
 * what it returns is taken modulo the number of queues. Reading beyond a packet's
 * end ends it with 0: short packets, as all that is not IP, are one flow.
 * Source: drivers/net/tun.c (`tun_ebpf_select_queue`), RFC 9669.
 */

import {
  BPF_PROG_TYPE_SOCKET_FILTER,
  Errno,
  TUNSETSTEERINGEBPF,
} from "../sys/abi.ts";
import { BpfProgram } from "../sys/bpf.ts";
import { check, libc } from "../sys/libc.ts";
import { SystemError } from "../sys/system_error.ts";
import type { TunKind } from "../sys/tun_device.ts";

/**
 * Steers an interface's queues, until it is disposed of or the interface is removed.
 * Undefined where the kernel lets this process load no program: flows move then.
 *
 * @throws {SystemError} when the kernel refuses for another reason.
 */
export function steer(
  descriptor: number,
  kind: TunKind,
): Disposable | undefined {
  using program = loadSteering(kind);
  if (program === undefined) return undefined;
  check(attach(descriptor, program.descriptor), {
    where: "ioctl(TUNSETSTEERINGEBPF)",
    what: "cannot choose the queues of packets",
  });
  // An interface that was removed by then needs no more of it.
  return { [Symbol.dispose]: () => void attach(descriptor, -1) };
}

/** Loads the program; undefined where this process may not. */
export function loadSteering(kind: TunKind): BpfProgram | undefined {
  try {
    return new BpfProgram(steeringProgram(kind), {
      type: BPF_PROG_TYPE_SOCKET_FILTER,
      name: "sp_steering",
    });
  } catch (error) {
    const isForbidden = error instanceof SystemError &&
      (error.errno === Errno.EPERM || error.errno === Errno.EACCES);
    if (isForbidden) return undefined;
    throw error;
  }
}

function attach(descriptor: number, program: number): number {
  const argument = Int32Array.of(program).buffer;
  return libc().ioctl(descriptor, BigInt(TUNSETSTEERINGEBPF), argument);
}

type Code = readonly Uint8Array[];

/** Opcodes. linux/bpf.h, linux/bpf_common.h: loads from a packet are big-endian, into r0. */
const LOAD_WORD = 0x20, LOAD_HALF = 0x28, LOAD_BYTE = 0x30;
const LOAD_WORD_AT = 0x40;
const SET = 0xb4, AND = 0x54, SHIFT_LEFT = 0x64, SHIFT_RIGHT = 0x74;
const MULTIPLY = 0x24, XOR_REGISTER = 0xac;
const MOVE = 0xbf, IF_EQUAL = 0x15, IF_NOT_EQUAL = 0x55, EXIT = 0x95;

/** Registers: what was read, the context that reading from a packet wants, the hash, an offset. */
const READ = 0, ARGUMENT = 1, CONTEXT = 6, HASH = 7, OFFSET = 8;

const TCP = 6, UDP = 17;

/** Knuth's multiplier: every bit of what it multiplies reaches the upper half. */
const MIXER = 0x9e3779b1 | 0;

function steeringProgram(kind: TunKind): Uint8Array<ArrayBuffer> {
  const ip = kind === "tap" ? 14 : 0;
  const version: Code = kind === "tap"
    ? [code(LOAD_HALF, { value: 12 })]
    : [code(LOAD_BYTE, { value: 0 }), code(SHIFT_RIGHT, { value: 4 })];
  return join([
    code(MOVE, { to: CONTEXT, from: ARGUMENT }),
    ...version,
    ...when(kind === "tap" ? 0x0800 : 4, [...hashOfIpv4(ip), ...RETURN_HASH]),
    ...when(kind === "tap" ? 0x86dd : 6, [...hashOfIpv6(ip), ...RETURN_HASH]),
    code(SET, { to: READ, value: 0 }),
    code(EXIT),
  ]);
}

const RETURN_HASH: Code = [
  code(MULTIPLY, { to: HASH, value: MIXER }),
  code(SHIFT_RIGHT, { to: HASH, value: 16 }),
  code(MOVE, { to: READ, from: HASH }),
  code(EXIT),
];

/** Adds what was read to the hash. */
const ADD = code(XOR_REGISTER, { to: HASH, from: READ });

/** Addresses, and both ports of what is no fragment. RFC 791 section 3.1. */
function hashOfIpv4(ip: number): Code {
  const ports: Code = [
    code(LOAD_BYTE, { value: ip }),
    code(AND, { value: 0x0f }),
    code(SHIFT_LEFT, { value: 2 }),
    code(MOVE, { to: OFFSET, from: READ }),
    code(LOAD_WORD_AT, { from: OFFSET, value: ip }),
    ADD,
  ];
  const whole = [code(LOAD_BYTE, { value: ip + 9 }), ...ifPorts(ports)];
  return [
    code(SET, { to: HASH, value: 0 }),
    ...[12, 16].flatMap((at) => [code(LOAD_WORD, { value: ip + at }), ADD]),
    code(LOAD_HALF, { value: ip + 6 }),
    code(AND, { value: 0x3fff }),
    ...when(0, whole),
  ];
}

/** Addresses, and both ports where no other header comes before them. RFC 8200 section 3. */
function hashOfIpv6(ip: number): Code {
  const words = Array.from({ length: 8 }, (_, i) => ip + 8 + 4 * i);
  return [
    code(SET, { to: HASH, value: 0 }),
    ...words.flatMap((at) => [code(LOAD_WORD, { value: at }), ADD]),
    code(LOAD_BYTE, { value: ip + 6 }),
    ...ifPorts([code(LOAD_WORD, { value: ip + 40 }), ADD]),
  ];
}

/** Runs `body` when the protocol that was read has ports. */
function ifPorts(body: Code): Code {
  return [code(IF_EQUAL, { value: TCP, skip: 1 }), ...when(UDP, body)];
}

/** Runs `body` when that value was read. */
function when(value: number, body: Code): Code {
  return [code(IF_NOT_EQUAL, { value, skip: body.length }), ...body];
}

/** An instruction: opcode, `from << 4 | to`, distance of a jump (2), value (4). */
function code(
  opcode: number,
  fields: {
    readonly to?: number;
    readonly from?: number;
    readonly skip?: number;
    readonly value?: number;
  } = {},
): Uint8Array {
  const { to = READ, from = 0, skip = 0, value = 0 } = fields;
  const view = new DataView(new ArrayBuffer(8));
  view.setUint8(0, opcode);
  view.setUint8(1, from << 4 | to);
  view.setInt16(2, skip, true);
  view.setInt32(4, value, true);
  return new Uint8Array(view.buffer);
}

function join(instructions: Code): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(instructions.length * 8);
  instructions.forEach((one, at) => bytes.set(one, at * 8));
  return bytes;
}
