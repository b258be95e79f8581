/**
 * Measures installs in a process of its own: a filter service in one worker, a
 * driver service in another, and this thread as their holder. Arguments: how
 * many installs, an interface or `-`, and numbers of flows. Prints a line of
 * JSON for each: {@link InstallFigures}.
 */

import { delay } from "@std/async/delay";
import { makePacketMemory, wasmPagesOf } from "../../caps/memory/memory.ts";
import { PLAIN_LIMITS } from "../../caps/driver/messages.ts";
import { fromMessagePort, type Port } from "../../caps/port/port.ts";
import { RIGHT_RECEIVE } from "../../caps/kernel/rights.ts";
import type { Capability } from "../../caps/kernel/capability.ts";
import { takeNow } from "../../drivers/service/start.ts";
import { ipv4 } from "../../services/filter/grant/builder.ts";
import { FilterClient } from "../../services/filter/service/client.ts";
import type { Grant } from "../../services/filter/grant/grant.ts";
import type { FilterReport } from "../../services/filter/service/messages.ts";

/** What was measured with so many flows installed. Times in microseconds. */
export interface InstallFigures {
  readonly flows: number;
  /** A flow more: from the request until it is in force, and the longest gap of each time. */
  readonly flow: readonly Install[];
  /** A grant of another shape, which is compiled. */
  readonly shape: readonly Install[];
}

/** One install. */
export interface Install {
  readonly latencyUs: number;
  /** The longest time meanwhile for which the driver did not look at its NIC. */
  readonly gapUs: number;
  /** Longest gap in as long a time, in which nothing was installed. */
  readonly idleGapUs: number;
}

const FRAMES = 1024;
/** How long a driver that never rests takes to look at its NIC again, and more. */
const LOOK_MS = 2;
const SYSTEM = 0;
/** Requests that a holder may have waiting. */
const TOGETHER = 64;

class Ground {
  readonly client: FilterClient;
  readonly root: Capability;
  readonly gapUs: Int32Array<SharedArrayBuffer>;

  private constructor(
    client: FilterClient,
    root: Capability,
    gapUs: Int32Array<SharedArrayBuffer>,
  ) {
    this.client = client;
    this.root = root;
    this.gapUs = gapUs;
  }

  static async start(interfaceName: string | undefined): Promise<Ground> {
    const memory = makePacketMemory(FRAMES);
    const gapUs = new Int32Array(new SharedArrayBuffer(4));
    const orders = new MessageChannel();
    const toDriver = new MessageChannel();
    const toFilter = new MessageChannel();
    const here = import.meta.url;
    const driver = new Worker(new URL("./driver_worker.ts", here), {
      type: "module",
    });
    const named = interfaceName === undefined ? {} : { interfaceName };
    const control = fromMessagePort<unknown, unknown>(toDriver.port1);
    const opened = nextMessage(control);
    driver.postMessage({
      options: { ...named, gapUs },
      memory: memory.wasm,
      frameCount: FRAMES,
      orders: orders.port1,
      control: toDriver.port2,
    }, [orders.port1, toDriver.port2]);
    const said = await opened as { kind: string; message?: string };
    if (said.kind !== "open") throw new Error(said.message);
    const data = new MessageChannel();
    control.post(
      { kind: "attach", port: SYSTEM, data: data.port2, ...PLAIN_LIMITS },
      [data.port2],
    );
    control.post({ kind: "receive" });
    const filter = new Worker(
      new URL("../../services/filter/service/worker.ts", here),
      { type: "module" },
    );
    const filterControl = fromMessagePort<unknown, unknown>(toFilter.port1);
    const rooted = nextMessage(filterControl);
    filter.postMessage({
      target: {
        memoryPages: wasmPagesOf(memory),
        ...(interfaceName === undefined
          ? {}
          : { kernel: { unclaimed: "kernel" } }),
      },
      quotaPages: FRAMES,
      system: SYSTEM,
      driver: orders.port2,
      control: toFilter.port2,
    }, [orders.port2, toFilter.port2]);
    const report = await rooted as FilterReport & { kind: "root" };
    const requests = new MessageChannel();
    filterControl.post(
      { kind: "attach", port: SYSTEM, requests: requests.port2 },
      [requests.port2],
    );
    const client = new FilterClient(
      fromMessagePort(requests.port1, { takeNow }),
    );
    return new Ground(client, report.root as Capability, gapUs);
  }

  derive(grant: Grant): Promise<Capability> {
    const asked = { from: this.root, rights: RIGHT_RECEIVE, quotaPages: 0 };
    return this.client.derive({ ...asked, grant });
  }

  /** Installs a grant, and takes it away again. */
  async measure(grant: Grant): Promise<Install> {
    Atomics.store(this.gapUs, 0, 0);
    const start = performance.now();
    const capability = await this.derive(grant);
    const latencyUs = (performance.now() - start) * 1000;
    // The gap ends with the driver's next look.
    await delay(LOOK_MS);
    const gapUs = Atomics.load(this.gapUs, 0);
    await this.client.end("drop", capability);
    // What a removal has to do still is not the next install's to wait for.
    await this.client.end("drop", await this.derive(UNMEASURED));
    const idleGapUs = await this.idleGap(latencyUs / 1000);
    return { latencyUs, gapUs, idleGapUs };
  }

  /** The longest gap while nothing is asked for. */
  async idleGap(durationMs: number): Promise<number> {
    Atomics.store(this.gapUs, 0, 0);
    await delay(durationMs + LOOK_MS);
    return Atomics.load(this.gapUs, 0);
  }
}

function nextMessage(port: Port<unknown, unknown>): Promise<unknown> {
  return new Promise((resolve) => {
    port.onReady = () => resolve(port.take());
  });
}

/** Flow `index`: every second one a UDP port, the others TCP between two addresses. */
function flow(index: number): Grant {
  const ours = "10.77.0.2";
  if (index % 2 === 0) {
    return ipv4().udp().dst(ours).dstPort(1024 + index / 2).grant;
  }
  return ipv4().tcp().src(`10.78.${index >>> 8}.${index & 255}`).dst(ours)
    .srcPort(20000 + index).dstPort(443 + index % 3).grant;
}

/** A flow that is installed between two others. */
const UNMEASURED = flow(15999);

/** A grant of a shape of its own. */
function shape(index: number): Grant {
  return [{ payload: { kind: "type", etherType: 0x9000 + index } }];
}

async function main(args: readonly string[]): Promise<void> {
  const [installs = "", face = "-", ...counts] = args;
  const ground = await Ground.start(face === "-" ? undefined : face);
  let installed = 0;
  for (const flows of counts.map(Number)) {
    while (installed < flows) {
      const upTo = Math.min(flows, installed + TOGETHER);
      const some: Promise<Capability>[] = [];
      while (installed < upTo) some.push(ground.derive(flow(installed++)));
      await Promise.all(some);
    }
    const figures = {
      flows,
      flow: [] as Install[],
      shape: [] as Install[],
    };
    for (let n = 0; n < Number(installs); n++) {
      figures.flow.push(await ground.measure(flow(16000 + n)));
    }
    // Fewer: each is compiled twice, when it comes and when it goes.
    for (let n = 0; n < Number(installs) / 10; n++) {
      figures.shape.push(await ground.measure(shape(n)));
    }
    console.log(JSON.stringify(figures));
  }
}

await main(Deno.args);
Deno.exit(0);
