/**
 * A UDP echo service that goes wrong, or means ill, as the query of this
 * module's address says. It is not confined: it has all that a worker has.
 */

import { fromMessagePort, type Port } from "../../caps/port/port.ts";
import {
  type Delivery,
  INLINE,
  RecordView,
  STRING_BYTES,
} from "../../caps/port/records.ts";
import type { Core } from "../../services/core/core.ts";
import type { ServiceDefinition } from "../../services/core/definition.ts";
import { FilterClient } from "../../services/filter/service/client.ts";
import { serveService } from "../../services/core/serve.ts";
import type {
  ServiceOrder,
  ServiceStart,
} from "../../services/core/messages.ts";
import { icmpEchoService } from "../../services/icmp-echo/service.ts";
import { udpEchoService } from "../../services/udp-echo/service.ts";

/** Packets that it handles well before it goes wrong. */
const GOOD_PACKETS = 5;

/** How long it spins: longer than the system waits for an answer. */
const SPIN_MS = 8000;

/** How long it does before it goes wrong late. */
const GOOD_MS = 200;

const scope = globalThis as unknown as {
  onmessage: ((event: MessageEvent<ServiceStart>) => void) | null;
  close(): void;
};

/** Garbage: what no port of the system expects. */
const GARBAGE: readonly unknown[] = [
  null,
  undefined,
  7,
  "counters",
  {},
  { kind: "counters", id: 1, counters: null },
  { kind: "running", extra: "x".repeat(100) },
  { kind: null, op: 7, id: "one" },
  { op: "derive", id: 1, from: 1n, grant: [[{}]], rights: -1, quotaPages: NaN },
  { op: "derive", id: 2, from: 3n },
  { capabilities: [1n], records: new ArrayBuffer(8), count: 1, pages: [] },
  {
    capabilities: [{}],
    records: new ArrayBuffer(STRING_BYTES),
    count: 1e9,
    pages: {},
  },
];

/** The service, whose core does `wrong` once it has handled a few packets well. */
function goesWrong(wrong: () => void): void {
  let good = 0;
  const definition: ServiceDefinition = {
    ...udpEchoService,
    make: (settings, ports): Core => {
      const core = udpEchoService.make(settings, ports);
      return {
        wakeAt: core.wakeAt,
        wake: (now, out) => core.wake(now, out),
        counters: () => core.counters(),
        receive(frame, now, out) {
          if (++good > GOOD_PACKETS) wrong();
          return core.receive(frame, now, out);
        },
      };
    },
  };
  serveService(definition);
}

/** Throws once it has handled packets well for a while. */
function throwsLater(): void {
  let untilMs: number | undefined;
  goesWrong(() => {
    untilMs ??= performance.now() + GOOD_MS;
    if (performance.now() > untilMs) throw new Error("that was enough");
  });
}

/** Counts what it is told of the services that it watches, and does its work. */
function watchesOthers(): void {
  const told: Record<string, number> = {};
  serveService({
    ...icmpEchoService,
    make: (settings, ports): Core => {
      const core = icmpEchoService.make(settings, ports);
      return {
        wakeAt: core.wakeAt,
        wake: (now, out) => core.wake(now, out),
        receive: (frame, now, out) => core.receive(frame, now, out),
        counters: () => ({ ...core.counters(), ...told }),
        onNews({ name, state }) {
          const what = `${name} ${state}`;
          told[what] = (told[what] ?? 0) + 1;
        },
      };
    },
  });
}

/** Says that it runs, and floods one of its ports with garbage from the first question of the system's on. */
function floods(which: "data" | "requests" | "control"): void {
  scope.onmessage = ({ data: start }) => {
    let begun = false;
    const control = obeys(start, () => {
      if (!begun) setInterval(flood, 1);
      begun = true;
    });
    const port = which === "control"
      ? control
      : fromMessagePort<unknown, unknown>(start[which]!);
    const flood = () => {
      for (let i = 0; i < 100; i++) port.post(GARBAGE[i % GARBAGE.length]);
    };
    control.post({ kind: "running" });
  };
}

/** Answers the system's questions, as if all were well. */
function obeys(
  start: ServiceStart,
  onAsked: () => void = () => {},
): Port<unknown, ServiceOrder> {
  const control = fromMessagePort<unknown, ServiceOrder>(start.control);
  control.onReady = () => {
    for (let o = control.take(); o !== undefined; o = control.take()) {
      if (o.kind !== "count") continue;
      control.post({ kind: "counters", id: o.id, counters: {} });
      onAsked();
    }
  };
  return control;
}

/** Gets its capability, and answers each delivery with pages and tags that are not its own. */
async function forges(start: ServiceStart): Promise<void> {
  const control = obeys(start);
  const { settings, envelope, quotaPages } = start;
  const client = new FilterClient(fromMessagePort(start.requests));
  const tag = await client.derive({
    from: envelope,
    grant: udpEchoService.receives(settings),
    sends: udpEchoService.sends(settings),
    rights: 5,
    quotaPages,
    copyBytesMax: 0,
  });
  const data = fromMessagePort<unknown, Delivery>(start.data!);
  const asked = { op: "revoke" as const, guesses: 0, tricks: 0 };
  data.onReady = () => {
    for (let d = data.take(); d !== undefined; d = data.take()) {
      if (d.count === 0) continue;
      forge(data, d, tag, asked.tricks++);
      if (asked.guesses++ > 20) continue;
      const guessed = BigInt(asked.guesses) as typeof tag;
      client.end(asked.op, guessed).catch(() => {});
    }
  };
  control.post({ kind: "running" });
}

/** Returns what was lent under a guessed tag, and something else in its place before: no more messages than it has byte strings for. */
function forge(
  data: Port<unknown, Delivery>,
  { records, count, pages }: Delivery,
  tag: bigint,
  trick: number,
): void {
  const shown = new RecordView(records);
  const frame = shown.frame(0);
  if (shown.page(0) === INLINE) throw new Error("expected a page");
  const tries: [frame: number, page: unknown][] = [
    [frame, new ArrayBuffer(4096)],
    [frame, new ArrayBuffer(64)],
    [frame, null],
    [frame, new Uint8Array(4096)],
    [frame + 1, new ArrayBuffer(4096)],
    [0xffffffff, new ArrayBuffer(4096)],
  ];
  const [claimed, page] = tries[trick % tries.length]!;
  const view = new RecordView(new ArrayBuffer(STRING_BYTES));
  view.putPage(0, 60, claimed, 0, 0);
  const bytes = view.bytes.buffer;
  data.post({ capabilities: [tag], records: bytes, count: 1, pages: [page] });
  const capabilities = [tag ^ 1n];
  data.post({ capabilities, records, count, pages }, [records, ...pages]);
}

/**
 * Does not return to its event loop for longer than anybody waits. Nothing ends
 * it: it would burn a core for as long as the tests run.
 */
function spin(): void {
  const untilMs = performance.now() + SPIN_MS;
  while (performance.now() < untilMs);
  scope.close();
}

const BEHAVIOURS: Readonly<Record<string, () => void>> = {
  "throws-loading": () => {
    throw new Error("no good\nfrom the start");
  },
  "throws-starting": () => {
    scope.onmessage = () => {
      throw new Error("cannot start");
    };
  },
  "says-nothing": () => {
    scope.onmessage = () => {};
  },
  "throws-on-a-packet": () =>
    goesWrong(() => {
      throw new Error("a packet too many");
    }),
  "throws-later": throwsLater,
  "watches": watchesOthers,
  "rejects-later": () =>
    goesWrong(() => void Promise.reject(new Error("nobody caught this"))),
  "closes": () => goesWrong(() => scope.close()),
  "spins": () => goesWrong(spin),
  "floods-data": () => floods("data"),
  "floods-requests": () => floods("requests"),
  "floods-control": () => floods("control"),
  "forges": () => {
    scope.onmessage = ({ data }) => void forges(data);
  },
};

BEHAVIOURS[new URL(import.meta.url).search.slice(1)]!();
