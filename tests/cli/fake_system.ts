/** A system and a terminal for tests of the command line. */

import type { Boot, UpSystem } from "../../cli/up/boot.ts";
import type { Terminal } from "../../cli/screen/terminal.ts";
import type { Manifest } from "../../services/manifest/manifest.ts";
import type { SystemSnapshot } from "../../services/system/snapshot.ts";
import type { Ending } from "../../services/system/system.ts";

/** A plausible snapshot after `pings` pings. */
export function snapshotOf(
  pings: number,
  changes: Partial<SystemSnapshot> = {},
): SystemSnapshot {
  return {
    uptimeMs: pings * 100,
    nic: {
      name: "emulated",
      mode: "in-memory wire",
      mac: "02:53:0a:4d:00:02",
      address: "10.77.0.2/24",
      state: "running",
      restarts: 0,
      ended: false,
      receivedPackets: pings + 3,
      receivedBytes: pings * 98 + 126,
      sentPackets: pings,
      sentBytes: pings * 98,
      counters: {},
    },
    unclaimedPackets: 3,
    pages: {
      total: 4096,
      free: 4000,
      lent: 90,
      inFlight: 6,
      quarantined: 0,
    },
    services: [{
      name: "icmp-echo",
      state: "running",
      place: "worker",
      restarts: 0,
      capabilities: [{
        label: "icmp-echo#1",
        filter: "icmp echo request and dst host 10.77.0.2",
        quotaPages: 64,
        heldPages: 2,
        deliveredPackets: pings,
        deliveredBytes: pings * 98,
        sentPackets: pings,
        sentBytes: pings * 98,
        drops: {},
      }],
      counters: { echoed: pings },
      refusals: {},
    }],
    peer: { "ping-sent": pings, "ping-answered": pings },
    ...changes,
  };
}

/** A fake system, and what was done with it. */
export interface FakeSystem {
  readonly boot: Boot;
  /** Ends it by itself. */
  readonly end: (ending: Ending) => void;
  /** What was booted, how often it was stopped. */
  readonly log: {
    manifest?: Manifest;
    confined?: boolean;
    stops: number;
  };
}

/** Makes a system whose pings grow by one with each snapshot. */
export function fakeSystem(
  options: {
    readonly onSnapshot?: (pings: number, system: FakeSystem) => void;
    readonly onStop?: () => Promise<void>;
  } = {},
): FakeSystem {
  const ended = Promise.withResolvers<Ending>();
  let pings = 0;
  const system: UpSystem = {
    ended: ended.promise,
    snapshot: () => {
      pings++;
      options.onSnapshot?.(pings, fake);
      return Promise.resolve(snapshotOf(pings));
    },
    picture: (options) => Promise.resolve(`a picture as ${options?.format}\n`),
    stop: async () => {
      fake.log.stops++;
      await options.onStop?.();
      return snapshotOf(120);
    },
  };
  const fake: FakeSystem = {
    boot: (manifest, { confined }) => {
      Object.assign(fake.log, { manifest, confined });
      return Promise.resolve(system);
    },
    end: ended.resolve,
    log: { stops: 0 },
  };
  return fake;
}

/** A terminal that remembers what was written. */
export interface FakeTerminal extends Terminal {
  readonly out: string;
  readonly err: string;
  readonly statuses: readonly number[];
  /** Whether somebody still listens for interrupts. */
  readonly listening: boolean;
  /** Presses Ctrl-C. */
  interrupt(): void;
}

/** Makes a terminal; `files` is what can be read. */
export function fakeTerminal(
  options: {
    readonly interactive?: boolean;
    readonly color?: boolean;
    readonly files?: Readonly<Record<string, string>>;
    /** After so many writes to standard output its reader has closed it. */
    readonly writesMax?: number;
  } = {},
): FakeTerminal {
  const listeners = new Set<() => void>();
  const statuses: number[] = [];
  let out = "";
  let err = "";
  let writes = 0;
  return {
    interactive: options.interactive ?? false,
    color: options.color ?? false,
    size: () => ({ columns: 80, rows: 24 }),
    write: (text) => {
      if (writes++ >= (options.writesMax ?? Infinity)) return false;
      out += text;
      return true;
    },
    writeBytes: () => true,
    writeError: (text) => void (err += text),
    readText: (path) => {
      const text = options.files?.[path];
      return text === undefined
        ? Promise.reject(new Error("No such file"))
        : Promise.resolve(text);
    },
    onInterrupt: (listener) => {
      listeners.add(listener);
      return { [Symbol.dispose]: () => void listeners.delete(listener) };
    },
    exit: (status) => void statuses.push(status),
    interrupt: () => listeners.forEach((listener) => listener()),
    get out() {
      return out;
    },
    get err() {
      return err;
    },
    get listening() {
      return listeners.size > 0;
    },
    statuses,
  };
}
