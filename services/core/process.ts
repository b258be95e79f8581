/**
 * A service in a process of its own: turns that begin with what its standard
 * input brings, and end with what goes to its standard output.
 *
 * ```
 *   read (waits) ──► ports ──► core ──► timers that are due ──► write (waits)
 *    ▲                                                               │
 *    └───────────────────────────────────────────────────────────────┘
 * ```
 *
 * Nothing is left to an event loop: two wake-ups by the kernel are all that a
 * message and its answer take. Only until the service runs, what its start awaits
 * has the event loop, and after each message that is no packet.
 */

import { Channels } from "../../caps/port/stream/channels.ts";
import { HolderEnd } from "../../caps/port/stream/holder_end.ts";
import { CHANNEL, DATA_KINDS } from "../../caps/port/stream/message.ts";
import type { Port } from "../../caps/port/port.ts";
import { NEVER } from "../runtime/clock.ts";
import { afterEvents } from "../runtime/event_turn.ts";
import type { StandardStreams } from "../runtime/process/standard_streams.ts";
import { TurnClock } from "../runtime/process/turn_clock.ts";
import type { ServiceEnds, ServiceStart } from "./messages.ts";
import { type BeginService, failureOf } from "./start.ts";
import { onUnhandled } from "./unhandled.ts";

/** Bytes that are read at once while the service starts. */
const READ_BYTES = 65_536;

/** Runs a service on the standard streams, until they end. */
export async function serveProcess(
  streams: StandardStreams,
  begin: BeginService,
): Promise<void> {
  const served = new ServedProcess(streams);
  await served.start(begin);
  for (;;) {
    if (!served.turn()) return streams.exit();
    if (served.hasPromises()) await turnOfEvents();
    served.flush();
  }
}

function turnOfEvents(): Promise<void> {
  return new Promise((resolve) => afterEvents(resolve));
}

/** What the turns of one process work on. */
class ServedProcess {
  readonly #streams: StandardStreams;
  readonly #clock = new TurnClock();
  readonly #channels: Channels;
  readonly #ends: ServiceEnds;
  readonly #control: Port<unknown, unknown>;
  /** When the other side wakes this one, as it was told. */
  #toldUs = NEVER;
  /** Messages on channels of which the promises are settled. */
  #settled = 0;
  /** Whether the code is a third party's, which may await whatever it likes. */
  #awaits = false;

  constructor(streams: StandardStreams) {
    this.#streams = streams;
    const channels = new Channels({
      dataKinds: DATA_KINDS.fromDriver,
      opens: true,
      onWake: () => this.#toldUs = NEVER,
    });
    const data = new HolderEnd(channels.writer);
    channels.data = data;
    this.#channels = channels;
    this.#control = channels.open(CHANNEL.control, "values");
    const requests = channels.open(CHANNEL.requests, "values");
    this.#ends = { data, control: this.#control, requests } as ServiceEnds;
  }

  /** Resolves when the service runs. */
  async start(begin: BeginService): Promise<void> {
    const fail = (error: unknown) => void this.#control.post(failureOf(error));
    onUnhandled(fail);
    this.#clock.replaceTimers(globalThis);
    const first = this.#channels.open(CHANNEL.start, "values");
    let runs = false;
    first.onReady = () => {
      const start = first.take() as Omit<ServiceStart, keyof ServiceEnds>;
      this.#awaits = start.module !== undefined;
      begin({ ...start, ...this.#ends }, { clock: this.#clock, fail })
        .then(() => runs = true, fail);
    };
    this.#channels.writer.onBegin = () => queueMicrotask(() => this.flush());
    const into = new Uint8Array(READ_BYTES);
    while (!runs) {
      const count = await this.#streams.readAside(into);
      this.#channels.receive({
        read(bytes, from, _to) {
          if (count > 0) bytes.set(into.subarray(0, count), from);
          return count;
        },
      });
      if (count < 0) return this.#streams.exit();
      // What it brought may settle more than one promise.
      await turnOfEvents();
      this.#clock.run();
    }
    this.#channels.writer.onBegin = undefined;
    this.flush();
  }

  /** Waits for a message, and handles what came. Returns false at the end. */
  turn(): boolean {
    const count = this.#channels.receive(this.#streams);
    this.#clock.run();
    return count >= 0;
  }

  /** Whether what came may have settled promises, which go on with the event loop. */
  hasPromises(): boolean {
    const { arrived } = this.#channels;
    const settles = this.#awaits || arrived !== this.#settled;
    this.#settled = arrived;
    return settles;
  }

  /** Writes everything, and the deadline before it where that is another. */
  flush(): void {
    const { nextUs } = this.#clock;
    if (nextUs !== this.#toldUs) {
      this.#toldUs = nextUs;
      const delayMs = Math.max(0, nextUs - this.#clock.now()) / 1000;
      this.#channels.putDeadline(delayMs);
    }
    this.#channels.writer.flush(this.#streams);
  }
}
