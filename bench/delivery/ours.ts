/** Our contestant in `deliver`: a driver service here, and a holder in a confined worker, or one that is called. */

import {
  makePacketMemory,
  type PacketMemory,
  PAGE_BYTES,
  wasmPagesOf,
} from "../../caps/memory/memory.ts";
import { setImmediate } from "node:timers";
import { receiveMessageOnPort } from "node:worker_threads";
import {
  type DriverOrder,
  type DriverReport,
  PLAIN_LIMITS,
} from "../../caps/driver/messages.ts";
import {
  fromMessagePort,
  makePipe,
  type Port,
  type TakeNow,
} from "../../caps/port/port.ts";
import {
  type Delivery,
  inlineStride,
  RECORD_BYTES,
  STRING_BYTES,
  STRINGS_PER_HOLDER,
} from "../../caps/port/records.ts";
import {
  makeTrustedRings,
  RING_ENTRIES,
  RingReader,
  type TrustedAccess,
} from "../../caps/port/trusted_ring.ts";
import { RIGHT_RECEIVE } from "../../caps/kernel/rights.ts";
import { runDriverService } from "../../drivers/service/loop.ts";
import { DriverService } from "../../drivers/service/service.ts";
import { ipv4 } from "../../services/filter/grant/builder.ts";
import { mergeTree } from "../../services/filter/tree/merge.ts";
import { emitWasm } from "../../services/filter/wasm/emit.ts";
import { DirectRunner } from "../../services/core/direct_runner.ts";
import { makeRealClock } from "../../services/runtime/clock.ts";
import { CountedPort } from "./counted_port.ts";
import { BenchNic } from "./nic.ts";
import { SinkCore } from "./sink_core.ts";
import type { DeliveryCase, DeliveryContestant } from "./contestant.ts";

const FRAMES = 8192;
/** Twice what the holder may have, where packets are larger than a page. */
const EXTENTS = 512;
const HOLDER = 1;
const SLOT = 1;

/** Starts the driver service and its holder for `what`. */
export async function ours(what: DeliveryCase): Promise<DeliveryContestant> {
  const extents = what.packet.length > PAGE_BYTES ? EXTENTS : 0;
  const memory = makePacketMemory(FRAMES, extents);
  const { flow, holder, attach } = what.way === "called"
    ? byCalls()
    : await inWorker(what, memory);
  const nic: BenchNic = new BenchNic(memory, {
    packet: what.packet,
    ports: what.way === "swapped" ? undefined : what.capabilities,
    batch: what.batch,
    ready: () => flow.hasRoom(nic.came),
  });
  const [orders, filter] = makePipe<DriverReport, DriverOrder>();
  const service = new DriverService({
    driver: nic,
    memory,
    orders,
    onCutOff: () => {
      throw new Error("deliver: the holder was cut off");
    },
  });
  attach(service);
  filter.post(commit(what, wasmPagesOf(memory)));
  const stopped = new AbortController();
  const running = runDriverService(service, {
    signal: stopped.signal,
    onEnded: () => {},
    sameThread: false,
  });
  return {
    async run(packets) {
      const start = performance.now();
      nic.left = packets;
      nic.wake();
      await flow.whenReturned(nic.came + packets);
      return (performance.now() - start) * 1e6 / packets;
    },
    async end() {
      stopped.abort();
      await running;
      service.check();
      const { accounts } = service.counts();
      const seen = await holder.end();
      service[Symbol.dispose]();
      const delivered = accounts.reduce(
        (sum, account) => sum + account.deliveredPackets,
        0,
      );
      if (seen !== nic.came || delivered !== seen) {
        throw new Error(`deliver: the holder saw ${seen} of ${nic.came}`);
      }
    },
  };
}

/** A holder, and how it is connected. */
interface Ends {
  readonly flow: Flow;
  readonly holder: TestHolder;
  attach(service: DriverService): void;
}

/** One in a confined worker. */
async function inWorker(
  what: DeliveryCase,
  memory: PacketMemory,
): Promise<Ends> {
  const channel = new MessageChannel();
  const { wasm, frameCount, extentCount } = memory;
  const access = what.way !== "shared"
    ? undefined
    : { memory: wasm, frameCount, extentCount, rings: makeTrustedRings() };
  const takeNow = receiveMessageOnPort as unknown as TakeNow;
  const port = fromMessagePort<Delivery | null, unknown>(channel.port1, {
    takeNow,
  });
  const flow = access === undefined
    ? byMessages(what, port)
    : byRings(what, port, access);
  const holder = await startHolder(channel.port2, access);
  return {
    flow,
    holder,
    attach: (service) =>
      service.attach(HOLDER, flow.port, PLAIN_LIMITS, access?.rings),
  };
}

/** One in the driver's thread, which is this one. */
function byCalls(): Ends {
  const core = new SinkCore();
  const seen = () => core.counters().packets!;
  return {
    flow: {
      hasRoom: () => true,
      async whenReturned(packets) {
        while (seen() < packets) {
          await new Promise((resolve) => void setImmediate(resolve));
        }
      },
    },
    holder: { end: () => Promise.resolve(seen()) },
    attach(service) {
      new DirectRunner(core, {
        end: service.attachDirect(HOLDER),
        capability: 0n,
        clock: makeRealClock(),
        onFailure: (error) => {
          throw error;
        },
      });
    },
  };
}

/** How packets get to the holder: how many are under way, and when they are back. */
interface Flow {
  /** Whether another batch may come, so that none is ever dropped; so many have come. */
  hasRoom(came: number): boolean;
  /** Resolves when `packets` in all have come back. */
  whenReturned(packets: number): Promise<void>;
}

/** A flow by a port. */
interface PortFlow extends Flow {
  readonly port: Port<Delivery | null, unknown>;
}

/** A holder that says at its end how many packets it saw. */
interface TestHolder {
  end(): Promise<number>;
}

function byMessages(
  what: DeliveryCase,
  port: Port<Delivery | null, unknown>,
): PortFlow {
  const counted = new CountedPort(port);
  const recordBytes = what.way === "swapped"
    ? RECORD_BYTES
    : inlineStride(what.packet.length);
  const recordsPerString = Math.floor(STRING_BYTES / recordBytes);
  const stringsPerBatch = Math.ceil(what.batch / recordsPerString);
  return {
    port: counted,
    hasRoom(came) {
      // One string may be gathering.
      const begun = came > counted.posted ? 1 : 0;
      const taken = counted.messagesOut + begun;
      return taken + stringsPerBatch <= STRINGS_PER_HOLDER;
    },
    whenReturned: (packets) => counted.whenReturned(packets),
  };
}

function byRings(
  what: DeliveryCase,
  port: Port<Delivery | null, unknown>,
  access: TrustedAccess,
): PortFlow {
  // It never advances: what is available is all there ever was.
  const returns = new RingReader(access.rings, "returns");
  return {
    port,
    // As many again may have been given back and not yet taken.
    hasRoom: (came) =>
      came + what.batch - returns.available <= RING_ENTRIES / 2,
    async whenReturned(packets) {
      while (returns.available < packets) {
        await new Promise((resolve) => void setImmediate(resolve));
      }
    },
  };
}

/** What the filter service would have the driver do: the holder's capabilities, the last of which may hold all pages but one each. */
function commit(what: DeliveryCase, memoryPages: number): DriverOrder {
  const { port, capabilities = 1, way, packet } = what;
  const last = SLOT + capabilities - 1;
  const slots = Array.from({ length: capabilities }, (_, n) => SLOT + n);
  const tree = mergeTree(slots.map((slot) => {
    const { grant } = ipv4().udp().dstPort(port + slot - SLOT);
    return { slot, grant, children: [] };
  }));
  return {
    kind: "commit",
    version: 1,
    opened: slots.map((slot) => ({
      slot,
      tagLow: slot,
      tagHigh: 1,
      port: HOLDER,
      rights: RIGHT_RECEIVE,
      quotaPages: slot === last ? FRAMES / 2 - capabilities + 1 : 1,
      copyBytesMax: way === "swapped" ? 0 : packet.length,
    })),
    quotas: [],
    wasm: emitWasm(tree, [], memoryPages),
  };
}

/** A worker without permissions, with a core that counts. */
async function startHolder(
  data: MessagePort,
  trusted: TrustedAccess | undefined,
): Promise<TestHolder> {
  const worker = new Worker(new URL("./holder_worker.ts", import.meta.url), {
    type: "module",
    deno: { permissions: "none" },
  } as WorkerOptions);
  const control = new MessageChannel();
  const answer = (): Promise<unknown> =>
    new Promise((resolve) => {
      control.port1.onmessage = ({ data }) => resolve(data);
    });
  const ready = answer();
  worker.postMessage({ data, control: control.port2, trusted }, [
    data,
    control.port2,
  ]);
  await ready;
  return {
    async end() {
      const counted = answer();
      control.port1.postMessage("count");
      const counters = await counted as Record<string, number>;
      worker.terminate();
      control.port1.close();
      return counters.packets ?? 0;
    },
  };
}
