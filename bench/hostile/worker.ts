/**
 * A UDP echo service that means ill, as the query of this module's address says.
 * It starts well, and begins with the first packet that it is delivered. It is
 * not confined by a loader: its ports are all its own.
 */

import { onFirstMessage } from "../../caps/port/first_message.ts";
import { fromMessagePort, type Port } from "../../caps/port/port.ts";
import {
  type Delivery,
  OWN_STRINGS_MAX,
  STRING_BYTES,
  type Submission,
} from "../../caps/port/records.ts";
import { FilterClient } from "../../services/filter/service/client.ts";
import { threadBytes } from "../../services/runtime/memory_usage.ts";
import type {
  ServiceOrder,
  ServiceStart,
} from "../../services/core/messages.ts";
import { udpEchoService } from "../../services/udp-echo/service.ts";
import { allocateBuffers, allocateHeap } from "./allocate.ts";
import { GUESSES, guessOf } from "./guess.ts";

/** What a service that means ill has in its hands. */
interface Hands {
  readonly data: Port<unknown, Delivery>;
  /** What `data` is made of. */
  readonly raw: MessagePort;
  readonly requests: MessagePort;
  readonly client: FilterClient;
  /** What it was delivered first. */
  readonly first: Delivery;
  /** Whatever it shows of itself when it is asked. */
  readonly counters: Record<string, number>;
}

const kept: unknown[] = [];

/** Takes all that comes, and gives nothing back. */
function keepPages({ data, first, counters }: Hands): void {
  kept.push(first);
  data.onReady = () => {
    for (let d = data.take(); d !== undefined; d = data.take()) {
      kept.push(d);
      counters["kept-pages"] = (counters["kept-pages"] ?? 0) + d.pages.length;
    }
  };
}

/**
 * Submissions as they should be, but for there being too many: each with a byte
 * string, and nothing in it. The string is copied: one that is moved to a port
 * which was closed meanwhile is never freed (Deno 2.9.6), and that is
 * {@link allocateBuffers} by another way.
 */
function flood({ data, first }: Hands): void {
  const records = new ArrayBuffer(STRING_BYTES);
  const { capabilities } = first;
  for (;;) data.post({ capabilities, records, count: 0, pages: [] });
}

/** Garbage, as fast as it can be posted: past the {@link Port} around it. */
function floodGarbage(port: MessagePort): never {
  for (;;) port.postMessage(null);
}

/**
 * Guesses, some at a time so that it can say how many: no more than it has byte
 * strings for while the first have not come back, and then without waiting.
 */
function guess({ data, client, counters }: Hands): void {
  let made = 0;
  data.onReady = () => {
    for (let d = data.take(); d !== undefined; d = data.take()) {
      if (d.count > 0 || made > OWN_STRINGS_MAX) continue;
      setTimeout(some, 0);
      return;
    }
  };
  const some = (count = 1000) => {
    for (let i = 0; i < count && made < GUESSES; i++) {
      const capability = guessOf(made++);
      const records = new ArrayBuffer(STRING_BYTES);
      const message: Submission = {
        capabilities: [capability],
        records,
        count: 0,
        pages: [],
      };
      data.post(message, [records]);
      client.end("revoke", capability).catch(() => {});
    }
    counters["guesses"] = made;
    if (count === 1000 && made < GUESSES) setTimeout(some, 0);
  };
  some(OWN_STRINGS_MAX);
}

function spin(): void {
  for (;;) {
    // Nothing: it never returns to its event loop.
  }
}

const BEHAVIOURS: Readonly<Record<string, (hands: Hands) => void>> = {
  "idles": () => {},
  "floods": flood,
  "floods-garbage": ({ raw }) => floodGarbage(raw),
  "floods-requests": ({ requests }) => floodGarbage(requests),
  "keeps-pages": keepPages,
  // Whatever else comes stays in the port.
  "never-reads": ({ data }) => void (data.onReady = undefined),
  "spins": spin,
  "allocates-heap": () => allocateHeap(kept),
  "allocates-buffers": () => allocateBuffers(kept),
  "guesses": guess,
};

async function start(start: ServiceStart): Promise<void> {
  const behave = BEHAVIOURS[new URL(import.meta.url).search.slice(1)]!;
  const counters: Record<string, number> = {};
  const control = fromMessagePort<unknown, ServiceOrder>(start.control);
  control.onReady = () => {
    for (let o = control.take(); o !== undefined; o = control.take()) {
      if (o.kind !== "count") continue;
      const { id } = o;
      const memoryBytes = threadBytes();
      control.post({ kind: "counters", id, counters, memoryBytes });
    }
  };
  const client = new FilterClient(fromMessagePort(start.requests));
  const { settings, envelope, quotaPages, copyBytesMax } = start;
  const own = { ...settings, port: 7003 };
  await client.derive({
    from: envelope,
    grant: udpEchoService.receives(own),
    sends: udpEchoService.sends(own),
    rights: 5,
    quotaPages,
    copyBytesMax,
  });
  const data = fromMessagePort<unknown, Delivery>(start.data!);
  data.onReady = () => {
    const first = data.take();
    if (first === undefined) return;
    data.onReady = undefined;
    behave({
      data,
      raw: start.data!,
      requests: start.requests,
      client,
      first,
      counters,
    });
  };
  control.post({ kind: "running" });
}

onFirstMessage((data: ServiceStart) => void start(data));
