/** A filter service as its worker runs it: by messages alone. */

import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import type {
  DriverOrder,
  DriverReport,
} from "../../../../caps/driver/messages.ts";
import type { Capability } from "../../../../caps/kernel/capability.ts";
import { RIGHT_DERIVE } from "../../../../caps/kernel/rights.ts";
import {
  fromMessagePort,
  type Port,
  takeAll,
} from "../../../../caps/port/port.ts";
import { FilterClient } from "../../../../services/filter/service/client.ts";
import type {
  FilterOrder,
  FilterReport,
} from "../../../../services/filter/service/messages.ts";
import { startFilterService } from "../../../../services/filter/service/start.ts";
import { MEMORY_PAGES } from "../wasm/wasm_harness.ts";

/** What the system and the driver see of a filter service, each at its end of a channel. */
class Started implements Disposable {
  readonly control: Port<FilterOrder, FilterReport>;
  readonly #driver: Port<DriverReport, DriverOrder>;
  readonly #reports: FilterReport[] = [];
  #onReport = () => {};

  constructor() {
    const [control, driver] = [new MessageChannel(), new MessageChannel()];
    this.control = fromMessagePort(control.port1);
    this.control.onReady = () => {
      this.#reports.push(...takeAll(this.control));
      this.#onReport();
    };
    this.#driver = fromMessagePort(driver.port1);
    this.#driver.onReady = () => this.#drive();
    startFilterService({
      target: { memoryPages: MEMORY_PAGES },
      ...{ quotaPages: 100, system: 3 },
      ...{ driver: driver.port2, control: control.port2 },
    });
  }

  #drive(): void {
    for (const order of takeAll(this.#driver)) {
      if ("version" in order) {
        this.#driver.post({ kind: "committed", version: order.version });
      } else if (order.kind === "revoke") {
        this.#driver.post({ kind: "revoked", id: order.id });
        const slots = order.ended.filter((_, i) => i % 2 === 0);
        this.#driver.post({ kind: "drained", slots });
      }
    }
  }

  attach(port: number): { client: FilterClient; raw: MessagePort } {
    const { port1, port2 } = new MessageChannel();
    this.control.post({ kind: "attach", port, requests: port2 }, [port2]);
    return { client: new FilterClient(fromMessagePort(port1)), raw: port1 };
  }

  /** The next report. */
  async report(): Promise<FilterReport> {
    while (this.#reports.length === 0) {
      await new Promise<void>((resolve) => this.#onReport = resolve);
    }
    return this.#reports.shift()!;
  }

  [Symbol.dispose](): void {
    this.control.post({ kind: "stop" });
    this.#driver[Symbol.dispose]();
  }
}

Deno.test("a filter service reports its root first, answers each order, and derives 16 deep", async () => {
  using started = new Started();
  const first = await started.report();
  ok(first.kind === "root");
  started.control.post({ kind: "ping", id: 7 });
  deepEqual(await started.report(), { kind: "pong", id: 7 });
  const { client } = started.attach(3);
  const asked = { grant: [{}], rights: RIGHT_DERIVE, quotaPages: 1 };
  let from = first.root as Capability;
  for (let depth = 1; depth <= 16; depth++) {
    from = await client.derive({ ...asked, from });
  }
  await rejects(client.derive({ ...asked, from }), { refused: "depth" });
  started.control.post({ kind: "describe", id: 8 });
  const described = await started.report();
  ok(described.kind === "described" && described.id === 8);
  deepEqual(described.refusals, [{ port: 3, refusals: { depth: 1 } }]);
  deepEqual(
    described.capabilities.map(({ slot, parent, port, narrowed }) =>
      [slot, parent, port, narrowed] as const
    ),
    Array.from({ length: 16 }, (_, i) => [i + 1, i, 3, i < 15]),
  );
  started.control.post({ kind: "detach", port: 3, id: 9 });
  deepEqual(await started.report(), { kind: "released", id: 9 });
  started.control.post({ kind: "describe", id: 10 });
  deepEqual(await started.report(), {
    ...{ kind: "described", id: 10, capabilities: [], refusals: [] },
  });
  client[Symbol.dispose]();
});

Deno.test("a filter service reports who was cut off, and for what", async () => {
  using started = new Started();
  equal((await started.report()).kind, "root");
  const { client, raw } = started.attach(5);
  for (let i = 0; i < 4096; i++) raw.postMessage([i, "nonsense"]);
  const report = await started.report();
  ok(report.kind === "cut-off" && report.port === 5);
  const { flood = 0, malformed = 0 } = report.refusals;
  equal(flood + malformed, 4096);
  client[Symbol.dispose]();
});

Deno.test("a filter service that is stopped answers nothing more", async () => {
  const started = new Started();
  equal((await started.report()).kind, "root");
  started.control.post({ kind: "stop" });
  started.control.post({ kind: "ping", id: 1 });
  const silence = new Promise((resolve) => setTimeout(resolve, 50, "silence"));
  equal(await Promise.race([started.report(), silence]), "silence");
  started.control[Symbol.dispose]();
  started[Symbol.dispose]();
});
