/**
 * Classic BPF programs, walked by hand: what bpf_filter(3) does not tell, and
 * packets steered along the paths of a program.
 */

import type { Instruction } from "./libpcap.ts";

/** How a program ended: with its `ret`, or because it could not go on. */
export type Outcome = "match" | "no match" | "abort";

/** A word of the machine, and the packet's bytes that it came from. */
interface Word {
  readonly value: number;
  readonly origin: Origin | undefined;
}

/** `(bytes & mask) - minus`. */
interface Origin {
  readonly at: number;
  readonly width: number;
  readonly mask: number;
  readonly minus: number;
}

/** Steps after which a program with loops is given up (protochain). */
const STEPS_MAX = 20_000;
/** Bytes that steering may make a packet longer to. */
const STEERED_LENGTH_MAX = 220;

/** Runs a program and tells how it ended; undefined when it does not end. */
export function outcomeOf(
  program: readonly Instruction[],
  packet: Uint8Array<ArrayBuffer>,
  wireLength: number,
): Outcome | undefined {
  return new Machine(program, packet, wireLength, undefined).run();
}

/**
 * Whether a program, on this packet, takes all bits of a value by a mask: what
 * libpcap's optimiser made "always true" of until 2026 (its pull request 1698).
 */
export function masksWithAllOnes(
  program: readonly Instruction[],
  packet: Uint8Array<ArrayBuffer>,
  wireLength: number,
): boolean {
  const machine = new Machine(program, packet, wireLength, undefined);
  machine.run();
  return machine.maskedWithAllOnes;
}

/**
 * A copy of `packet` that takes branches which `choose` chooses, the same
 * comparison the same way each time: at each conditional jump the bytes that
 * decide it are changed to go that way, where they can be. Lengthens the
 * packet where a load would not fit.
 */
export function steer(
  program: readonly Instruction[],
  packet: Uint8Array<ArrayBuffer>,
  choose: () => boolean,
): Uint8Array<ArrayBuffer> {
  const machine = new Machine(program, packet, packet.length + 4, choose);
  machine.run();
  return machine.packet;
}

class Machine {
  packet: Uint8Array<ArrayBuffer>;
  maskedWithAllOnes = false;
  readonly #program: readonly Instruction[];
  readonly #wireLength: number;
  readonly #choose: (() => boolean) | undefined;
  readonly #chosen = new Map<string, boolean>();
  readonly #memory: Word[] = new Array(16).fill(plain(0));
  #a: Word = plain(0);
  #x: Word = plain(0);

  constructor(
    program: readonly Instruction[],
    packet: Uint8Array<ArrayBuffer>,
    wireLength: number,
    choose: (() => boolean) | undefined,
  ) {
    this.#program = program;
    this.packet = packet.slice();
    this.#wireLength = wireLength;
    this.#choose = choose;
  }

  run(): Outcome | undefined {
    let pc = 0;
    for (let step = 0; step < STEPS_MAX; step++) {
      const instruction = this.#program[pc++]!;
      const { code, k } = instruction;
      switch (code & 7) {
        case 0:
        case 1:
          if (!this.#load(instruction)) return "abort";
          break;
        case 2:
          this.#memory[k] = this.#a;
          break;
        case 3:
          this.#memory[k] = this.#x;
          break;
        case 4:
          if (!this.#calculate(instruction)) return "abort";
          break;
        case 5:
          pc += this.#jump(instruction);
          break;
        case 6:
          return k === 0 ? "no match" : "match";
        case 7:
          if (code & 0x80) this.#a = this.#x;
          else this.#x = this.#a;
      }
    }
    return undefined;
  }

  #load({ code, k }: Instruction): boolean {
    const word = this.#loaded(code, k);
    if (word === undefined) return false;
    if ((code & 7) === 0) this.#a = word;
    else this.#x = word;
    return true;
  }

  #loaded(code: number, k: number): Word | undefined {
    const width = [4, 2, 1][(code >>> 3) & 3]!;
    switch (code & 0xe0) {
      case 0x00:
        return plain(k);
      case 0x20:
        return this.#bytes(k, width);
      case 0x40:
        return this.#bytes(this.#x.value + k, width);
      case 0x60:
        return this.#memory[k];
      case 0x80:
        return plain(this.#wireLength);
      default: {
        const first = this.#bytes(k, 1);
        return first === undefined ? first : plain((first.value & 15) * 4);
      }
    }
  }

  #bytes(at: number, width: number): Word | undefined {
    if (at + width > this.packet.length) {
      const tooFar = at + width > STEERED_LENGTH_MAX;
      if (tooFar || this.#choose === undefined || !this.#choose()) {
        return undefined;
      }
      const longer = new Uint8Array(at + width);
      longer.set(this.packet);
      this.packet = longer;
    }
    const mask = width === 4 ? 0xffffffff : 2 ** (8 * width) - 1;
    return {
      value: this.#read(at, width),
      origin: { at, width, mask, minus: 0 },
    };
  }

  #read(at: number, width: number): number {
    let value = 0;
    for (let i = 0; i < width; i++) value = value * 256 + this.packet[at + i]!;
    return value;
  }

  #write(at: number, width: number, value: number): void {
    for (let i = width - 1, rest = value; i >= 0; i--, rest >>>= 8) {
      this.packet[at + i] = rest & 255;
    }
  }

  #calculate({ code, k }: Instruction): boolean {
    const right = code & 8 ? this.#x.value : k;
    const { value: left, origin } = this.#a;
    const operator = code & 0xf0;
    if ((operator === 0x30 || operator === 0x90) && right === 0) return false;
    if (operator === 0x50 && right === 0xffffffff) {
      this.maskedWithAllOnes = true;
    }
    const value = calculated(operator, left, right);
    let from: Origin | undefined;
    if (origin !== undefined && operator === 0x50 && origin.minus === 0) {
      from = { ...origin, mask: (origin.mask & right) >>> 0 };
    } else if (origin !== undefined && operator === 0x10) {
      from = { ...origin, minus: (origin.minus + right) >>> 0 };
    }
    this.#a = { value, origin: from };
    return true;
  }

  #jump({ code, jt, jf, k }: Instruction): number {
    const operator = code & 0xf0;
    if (operator === 0) return k | 0;
    const right = code & 8 ? this.#x.value : k;
    if (this.#choose !== undefined) this.#bend(operator, right, this.#choose);
    return holds(operator, this.#a.value, right) ? jt : jf;
  }

  /** Changes the bytes behind A so that the comparison comes out as chosen. */
  #bend(operator: number, right: number, choose: () => boolean): void {
    const { origin, value } = this.#a;
    if (origin === undefined) return;
    const { at, width, mask, minus } = origin;
    const key = `${at} ${width} ${mask} ${minus} ${operator} ${right}`;
    const wanted = this.#chosen.get(key) ?? choose();
    this.#chosen.set(key, wanted);
    if (holds(operator, value, right) === wanted) return;
    const old = this.#read(at, width);
    let field: number;
    if (operator === 0x40) {
      field = wanted ? old | (right & mask) : old & ~right;
    } else if (operator === 0x10 && !wanted) {
      field = old ^ (mask & -mask);
    } else {
      const above = (operator === 0x20) === wanted ? 1 : 0;
      const exact = operator === 0x10 ? 0 : wanted ? above : above - 1;
      const target = (right + minus + exact) >>> 0;
      field = (target & mask) | (old & ~mask);
    }
    this.#write(at, width, field >>> 0);
    const now = ((this.#read(at, width) & mask) - minus) >>> 0;
    this.#a = { value: now, origin };
  }
}

function plain(value: number): Word {
  return { value, origin: undefined };
}

function holds(operator: number, left: number, right: number): boolean {
  switch (operator) {
    case 0x10:
      return left === right;
    case 0x20:
      return left > right;
    case 0x30:
      return left >= right;
    default:
      return (left & right) !== 0;
  }
}

function calculated(operator: number, left: number, right: number): number {
  switch (operator) {
    case 0x00:
      return (left + right) >>> 0;
    case 0x10:
      return (left - right) >>> 0;
    case 0x20:
      return Math.imul(left, right) >>> 0;
    case 0x30:
      return Math.floor(left / right);
    case 0x40:
      return (left | right) >>> 0;
    case 0x50:
      return (left & right) >>> 0;
    case 0x60:
      return right > 31 ? 0 : (left << right) >>> 0;
    case 0x70:
      return right > 31 ? 0 : left >>> right;
    case 0x80:
      return -left >>> 0;
    case 0x90:
      return left % right;
    default:
      return (left ^ right) >>> 0;
  }
}
