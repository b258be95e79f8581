/**
 * The kernel as the oracle of emitted programs: verifies, loads and runs a
 * `KernelProgram` (BPF_PROG_TEST_RUN), on the loopback interface's queue 0, which
 * has a socket or has none. Nothing is attached anywhere. Needs root.
 */

import type {
  KernelMapChange,
  KernelProgram,
} from "../../caps/driver/program.ts";
import { AF_XDP, SOCK_RAW } from "../../drivers/sys/abi.ts";
import { check, closeDescriptor, libc } from "../../drivers/sys/libc.ts";
import { LoadedProgram, makeSocketMap } from "../../drivers/xdp/program.ts";

/** What the kernel says of one frame. */
export interface KernelVerdict {
  /** enum xdp_action: 1 dropped, 2 passed, 4 redirected. */
  readonly action: number;
  /** The tag in front of the frame; 0 when there is none. */
  readonly tag: bigint;
}

/** How the oracle is set up. */
export interface OracleOptions {
  /** Whether the queue has a socket. */
  readonly socket: boolean;
}

/** A program in the kernel with its maps. */
export class KernelOracle implements Disposable {
  readonly #loaded: LoadedProgram;
  readonly #owned: DisposableStack;

  /** Loads `specification`. Throws with the verifier's log when it is refused. */
  constructor(specification: KernelProgram, options: OracleOptions) {
    using owned = new DisposableStack();
    const sockets = owned.use(makeSocketMap(4));
    if (options.socket) {
      // Bound to nothing: enough to be redirected to.
      const socket = check(libc().socket(AF_XDP, SOCK_RAW, 0), {
        where: "socket(AF_XDP)",
        what: "cannot open a socket to redirect to",
      });
      owned.defer(() => closeDescriptor(socket));
      sockets.update(
        new Uint8Array(4),
        new Uint8Array(Int32Array.of(socket).buffer),
      );
    }
    this.#loaded = owned.use(new LoadedProgram(specification, { sockets }));
    this.#owned = owned.move();
  }

  /** Runs the program over one frame of at least 14 bytes. */
  run(frame: Uint8Array<ArrayBuffer>): KernelVerdict {
    const { result, data } = this.#loaded.program.testRun({ data: frame });
    const at = data.length - frame.length;
    if (at !== 0 && at !== 8) {
      throw new Error(`${frame.length} bytes went in, ${data.length} came out`);
    }
    if (frame.some((byte, index) => data[at + index] !== byte)) {
      throw new Error("the program changed the frame");
    }
    const view = new DataView(data.buffer, data.byteOffset);
    return { action: result, tag: at === 8 ? view.getBigUint64(0, true) : 0n };
  }

  /** Changes the program's flows. */
  update(changes: readonly KernelMapChange[]): void {
    this.#loaded.update(changes);
  }

  /** The counters by reason. */
  counters(): Record<string, number> {
    const counters = new Map<string, number>();
    this.#loaded.addCounters(counters);
    return Object.fromEntries(counters);
  }

  [Symbol.dispose](): void {
    this.#owned[Symbol.dispose]();
  }
}
