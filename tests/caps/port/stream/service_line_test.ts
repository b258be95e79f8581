/** A service's line to its process, over a pipe that a test stops. */

import { equal, ok } from "node:assert/strict";
import type { Port } from "../../../../caps/port/port.ts";
import { type Delivery, STRING_BYTES } from "../../../../caps/port/records.ts";
import { ServiceLine } from "../../../../caps/port/stream/service_line.ts";
import { UNWRITTEN_BYTES_MAX } from "../../../../caps/port/stream/writer.ts";
import { TestPipe } from "./pipe.ts";

/** A port that always has another message. */
class EndlessPort implements Port<unknown, never> {
  onReady: (() => void) | undefined;
  closed = false;
  taken = 0;
  readonly #make: () => unknown;

  constructor(make: () => unknown) {
    this.#make = make;
  }

  post(): boolean {
    return true;
  }

  take(): never {
    this.taken++;
    return this.#make() as never;
  }

  [Symbol.dispose](): void {
    this.closed = true;
  }
}

/** A port that has nothing. */
function idlePort(): EndlessPort {
  return new EndlessPort(() => undefined);
}

const TEXT = "x".repeat(1000);

const FLOODS: readonly [
  what: string,
  which: "control" | "requests" | "data",
  sizeBytes: number,
  make: () => unknown,
][] = [
  ["news", "control", TEXT.length, () => ({ kind: "news", text: TEXT })],
  ["answers", "requests", TEXT.length, () => ({ text: TEXT })],
  ["pages", "data", 65_536, (): Delivery => ({
    capabilities: [1n],
    records: new ArrayBuffer(STRING_BYTES),
    count: 1,
    pages: [new ArrayBuffer(65_536)],
  })],
];

for (const [what, which, sizeBytes, make] of FLOODS) {
  Deno.test(`of ${what} for a process that reads nothing, no more than a bound is taken from their port`, () => {
    const line = new ServiceLine({ unreadMax: 16, onWork: () => {} });
    const port = new EndlessPort(make);
    const ports = { control: idlePort(), requests: idlePort(), [which]: port };
    line.begin({ start: {}, ...ports });
    const pipe = new TestPipe(() => 0);
    for (let turn = 0; turn < 10; turn++) equal(line.flush(pipe), true);
    ok(port.taken > 1);
    ok(port.taken * sizeBytes <= UNWRITTEN_BYTES_MAX + 2 * sizeBytes);
  });
}

Deno.test("a line that ends closes all of its ports, that for packets too", () => {
  const line = new ServiceLine({ unreadMax: 16, onWork: () => {} });
  const ports = [idlePort(), idlePort(), idlePort()] as const;
  const [control, requests, data] = ports;
  line.begin({ start: {}, control, requests, data });
  line.end();
  for (const port of ports) equal(port.closed, true);
});
