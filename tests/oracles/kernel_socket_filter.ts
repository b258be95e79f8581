/**
 * What this machine's kernel says of a classic BPF program: a pair of UNIX
 * sockets, the program on one of them, and packets sent through the other. No
 * privilege is needed.
 */

import type { SocketFilter } from "../../caps/driver/program.ts";

const AF_UNIX = 1;
const SOCK_DGRAM_NONBLOCK = 2 | 0o4000;
const SOL_SOCKET = 1;
const SO_ATTACH_FILTER = 26;

const calls = {
  socketpair: { parameters: ["i32", "i32", "i32", "buffer"], result: "i32" },
  setsockopt: {
    parameters: ["i32", "i32", "i32", "buffer", "u32"],
    result: "i32",
  },
  send: { parameters: ["i32", "buffer", "u64", "i32"], result: "i64" },
  recv: { parameters: ["i32", "buffer", "u64", "i32"], result: "i64" },
  close: { parameters: ["i32"], result: "i32" },
} as const;

/** A socket with a filter. */
export class KernelSocketFilter implements Disposable {
  readonly #library = Deno.dlopen("libc.so.6", calls);
  readonly #pair = new Int32Array(2);
  readonly #received = new Uint8Array(65536);

  /** @throws when the kernel refuses the program. */
  constructor({ instructions }: SocketFilter) {
    const { socketpair, setsockopt } = this.#library.symbols;
    if (socketpair(AF_UNIX, SOCK_DGRAM_NONBLOCK, 0, this.#pair) !== 0) {
      throw new Error("no pair of sockets");
    }
    const program = new DataView(new ArrayBuffer(16));
    program.setUint16(0, instructions.length / 8, true);
    const address = Deno.UnsafePointer.of(instructions.buffer);
    program.setBigUint64(8, Deno.UnsafePointer.value(address), true);
    const [level, option] = [SOL_SOCKET, SO_ATTACH_FILTER];
    const into = this.#pair[1]!;
    if (setsockopt(into, level, option, program.buffer, 16) !== 0) {
      throw new Error("the kernel refuses the program");
    }
  }

  /** Whether a packet gets through; all of it, then. */
  takes(packet: Uint8Array): boolean {
    const { send, recv } = this.#library.symbols;
    const bytes = Uint8Array.from(packet);
    // A packet that the filter refuses is dropped, or its sender told so.
    send(this.#pair[0]!, bytes, BigInt(bytes.length), 0);
    const room = BigInt(this.#received.length);
    const length = Number(recv(this.#pair[1]!, this.#received, room, 0));
    if (length >= 0 && length !== packet.length) {
      throw new Error(`${length} of ${packet.length} bytes got through`);
    }
    return length >= 0;
  }

  [Symbol.dispose](): void {
    for (const socket of this.#pair) this.#library.symbols.close(socket);
    this.#library.close();
  }
}
