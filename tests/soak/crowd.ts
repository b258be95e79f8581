/**
 * Hosts at the other end of a system's wire, for a soak: two that ask for echoes
 * and check each answer, and one that asks by ARP, sends garbage, and bursts of
 * more than anybody can take. All of it follows from a seed.
 */

import { type Counts, Tally } from "../../caps/driver/accounts.ts";
import type { Core, Frame, Outbox, Verdict } from "../../services/core/core.ts";
import { type Instant, NEVER } from "../../services/runtime/clock.ts";
import { macFor } from "../../services/manifest/interface_address.ts";
import { makePeer } from "../../services/peer/core.ts";
import { PeerFrames } from "../../services/peer/frames.ts";
import { Random, seedOf } from "../../services/runtime/random.ts";

/** The port of the service that fails now and then. */
export const FAILING_PORT = 9;

/** Where capabilities are opened and revoked: so many ports from here on. */
export const CHURNED_PORT = 20_000;
export const CHURNED_PORTS = 16;

/** Who the crowd speaks to, and for how long. */
export interface CrowdOptions {
  /** The system's IPv4 address. */
  readonly target: number;
  readonly seed: number;
  /** When it falls silent; it goes on to take answers. */
  readonly forMs: number;
}

const ECHO_INTERVAL_US = 2000;
const UNREST_INTERVAL_US = 50_000;
/** One burst in so many unrests. */
const UNRESTS_PER_BURST = 10;
/** More than the 2,048 of a NIC's ring, all at once. */
const BURST_FRAMES = 4000;
const GARBAGE_FRAMES = 10;

/** The hosts' last bytes of their addresses, Ethernet and IP. */
const STEADY = 200;
const FAILING = 201;
const UNRULY = 202;

/** What a host has for addresses. */
function addressesOf(host: number, { target, seed }: CrowdOptions) {
  return {
    mac: Uint8Array.of(2, 0x53, 0x6f, 0x61, 0x6b, host),
    address: ((target & 0xffffff00) | host) >>> 0,
    target,
    seed: seedOf(seed, host),
  };
}

/** Makes the crowd. What its hosts count has their names in front: `steady ping-sent`. */
export function makeCrowd(options: CrowdOptions): Core {
  const every = {
    pingIntervalUs: ECHO_INTERVAL_US,
    udpIntervalUs: ECHO_INTERVAL_US,
  };
  return new Crowd(options.forMs * 1000, [
    ["steady", STEADY, makePeer({ ...addressesOf(STEADY, options), ...every })],
    [
      "failing",
      FAILING,
      makePeer({
        ...addressesOf(FAILING, options),
        ...every,
        pingIntervalUs: Infinity,
        udpPort: FAILING_PORT,
      }),
    ],
    ["unruly", UNRULY, new Unruly(options)],
  ]);
}

type Host = readonly [name: string, lastByte: number, core: Core];

class Crowd implements Core {
  readonly #hosts: readonly Host[];
  readonly #forUs: number;
  #endsAt = NEVER;
  #silent = false;

  constructor(forUs: number, hosts: readonly Host[]) {
    this.#forUs = forUs;
    this.#hosts = hosts;
  }

  get wakeAt(): Instant {
    if (this.#silent) return NEVER;
    return Math.min(...this.#hosts.map(([, , core]) => core.wakeAt));
  }

  wake(now: Instant, out: Outbox): void {
    if (this.#endsAt === NEVER) this.#endsAt = now + this.#forUs;
    this.#silent = now >= this.#endsAt;
    if (this.#silent) return;
    for (const [, , core] of this.#hosts) {
      if (core.wakeAt <= now) core.wake(now, out);
    }
  }

  receive(frame: Frame, now: Instant, out: Outbox): Verdict {
    const host = this.#hosts.find(([, lastByte]) =>
      frame.bytes[frame.start + 5] === lastByte
    );
    return host?.[2].receive(frame, now, out) ?? "drop:not-mine";
  }

  counters(): Counts {
    return Object.fromEntries(
      this.#hosts.flatMap(([host, , core]) =>
        Object.entries(core.counters())
          .map(([name, count]) => [`${host} ${name}`, count])
      ),
    );
  }
}

/** Sends what no host should, and more than the system can take. */
class Unruly implements Core {
  wakeAt: Instant = 0;
  readonly #mac: Uint8Array;
  readonly #random: Random;
  readonly #tally = new Tally();
  /** Frames to each port that somebody may listen on. */
  readonly #frames: readonly PeerFrames[];
  readonly #payload = new Uint8Array(1472);
  #unrests = 0;

  constructor(options: CrowdOptions) {
    const own = addressesOf(UNRULY, options);
    this.#mac = macFor(options.target);
    this.#random = new Random(own.seed);
    const churned = Array.from(
      { length: CHURNED_PORTS },
      (_, i) => CHURNED_PORT + i,
    );
    this.#frames = [7, FAILING_PORT, ...churned].map((udpPort) =>
      new PeerFrames({ ...own, udpPort })
    );
  }

  wake(now: Instant, out: Outbox): void {
    this.wakeAt = now + UNREST_INTERVAL_US;
    if (this.#frames[0]!.request(out)) this.#tally.add("arp-asked");
    for (let i = 0; i < GARBAGE_FRAMES; i++) this.#garbage(out);
    if (this.#unrests++ % UNRESTS_PER_BURST === 0) this.#burst(out);
    else this.#datagrams(CHURNED_PORTS, out);
  }

  receive({ bytes, start }: Frame): Verdict {
    const isArp = bytes[start + 12] === 8 && bytes[start + 13] === 6;
    this.#tally.add(isArp ? "arp-answered" : "echoed");
    return "handled";
  }

  counters(): Counts {
    return this.#tally.snapshot();
  }

  #burst(out: Outbox): void {
    this.#datagrams(BURST_FRAMES, out);
    this.#tally.add("bursts");
  }

  #datagrams(count: number, out: Outbox): void {
    for (let i = 0; i < count; i++) {
      const to = this.#frames[this.#random.below(this.#frames.length)]!;
      const size = this.#random.below(this.#payload.length);
      const sequence = this.#random.below(16384);
      const payload = this.#payload.subarray(0, size);
      if (to.datagram(this.#mac, sequence, payload, out)) {
        this.#tally.add("datagrams");
      }
    }
  }

  /** Random bytes, to the system, to all or to an unused address; half of them begin as IPv4 does. */
  #garbage(out: Outbox): void {
    const frame = out.open(1514);
    if (frame === undefined) return;
    const { bytes, start } = frame;
    const length = this.#random.between(14, 1514);
    this.#random.fill(bytes, start, start + length);
    const to = this.#random.below(4);
    if (to === 0) bytes.fill(0xff, start, start + 6);
    else if (to < 3) bytes.set(this.#mac, start);
    if (this.#random.chance(0.5)) bytes.set([8, 0, 0x45], start + 12);
    frame.length = length;
    out.send();
    this.#tally.add("garbage");
  }
}
