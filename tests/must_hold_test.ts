/**
 * What must hold, always: seven properties, each by its name. Most of them have
 * tests of their own that go further; these run the same checks once more, so
 * that one can see in one place that none was forgotten.
 */

import { deepEqual, equal, notEqual } from "node:assert/strict";
import fc from "fast-check";
import { arpService } from "../services/arp/service.ts";
import { classify } from "../services/filter/tree/reference.ts";
import { emitEbpf } from "../services/filter/ebpf/emit.ts";
import {
  FRAME_BYTES_MAX,
  ProgramTooLarge,
} from "../services/filter/ebpf/limits.ts";
import { mergeTree } from "../services/filter/tree/merge.ts";
import { emitWasm } from "../services/filter/wasm/emit.ts";
import { icmpEchoService } from "../services/icmp-echo/service.ts";
import { udpEchoService } from "../services/udp-echo/service.ts";
import { arpBytes, emitArp, parseArp } from "../services/wire/arp.ts";
import {
  emitEthernet,
  ethernetBytes,
  parseEthernet,
} from "../services/wire/ethernet.ts";
import { emitIcmp, icmpBytes, parseIcmp } from "../services/wire/icmp.ts";
import { emitIpv4, ipv4Bytes, parseIpv4 } from "../services/wire/ipv4.ts";
import { emitUdp, parseUdp, udpBytes } from "../services/wire/udp.ts";
import { expressionArbitrary } from "./arbitraries/expressions.ts";
import { faultSchedule } from "./arbitraries/faults.ts";
import { anyFrame } from "./arbitraries/frames.ts";
import { framesFor, grantsOf } from "./arbitraries/grant_frames.ts";
import { linkedFrame } from "./arbitraries/linked_frames.ts";
import {
  arpRepr,
  bytesUpTo,
  ethernetRepr,
  icmpRepr,
  ipv4Repr,
  udpRepr,
} from "./arbitraries/reprs.ts";
import { residualsArbitrary } from "./arbitraries/residuals.ts";
import { runEbpf } from "./oracles/ebpf_vm.ts";
import {
  anyMove,
  anyNic,
  delegateMove,
  deriveMove,
  endMove,
  faultMove,
  meetMove,
  type Move,
  movesOf,
  receiveMove,
  submitMove,
} from "./model/moves.ts";
import { play } from "./model/play.ts";
import { FRAME_COUNT } from "./model/universe.ts";
import { testWith, whyMissing } from "./needs.ts";
import { LIBPCAP, Libpcap } from "./oracles/libpcap.ts";
import { testProperty } from "./property.ts";
import { tagNumber, tagOf } from "./services/filter/ebpf/tags.ts";
import { compareOn } from "./services/filter/language/comparison.ts";
import { incomparable } from "./services/filter/language/known_differences.ts";
import { load, MEMORY_PAGES } from "./services/filter/wasm/wasm_harness.ts";
import { formatTrace } from "./simulation/trace.ts";
import { simulate } from "./simulation/world.ts";

const file = import.meta.url;

testProperty(
  "1. pages are conserved: free, lent, in flight and quarantined ones add up under every schedule, crash and revocation",
  { runs: 400, file },
  fc.asyncProperty(
    // Pages go out, and come back or do not.
    movesOf(
      fc.oneof(
        deriveMove,
        receiveMove,
        submitMove,
        faultMove,
        endMove,
        meetMove,
      ),
    ),
    anyNic,
    play,
  ),
);

testProperty(
  "2. interpreter, Wasm and eBPF agree on every set of grants and every frame, truncated ones included",
  { runs: 60, file },
  fc.property(
    residualsArbitrary.chain((roots) =>
      fc.tuple(
        fc.constant(roots),
        fc.array(
          fc.tuple(
            fc.oneof(framesFor(grantsOf(roots)), linkedFrame("ethernet")),
            fc.double({ min: 0.1, max: 4, noNaN: true }),
          ).map(([frame, part]) =>
            frame.subarray(0, Math.ceil(frame.length * part))
          ).filter(({ length }) => length > 0 && length <= FRAME_BYTES_MAX),
          { minLength: 1, maxLength: 8 },
        ),
      )
    ),
    ([roots, frames]) => {
      const tree = mergeTree(roots);
      const owners = frames.map((frame) =>
        classify(roots, frame, 0, frame.length)
      );
      const wasm = load(emitWasm(tree, [], MEMORY_PAGES));
      deepEqual(wasm.classify(frames, 0xa5), owners);
      const kernel = unlessTooLarge(() =>
        emitEbpf(tree, tagOf, { unclaimed: "kernel" })
      );
      if (kernel === undefined) return;
      deepEqual(
        frames.map((frame) => runEbpf(kernel, frame).tag),
        owners.map(tagNumber),
      );
    },
  ),
);

/** A kernel takes programs of some size only; what is beyond is refused, never cut. */
function unlessTooLarge<T>(emit: () => T): T | undefined {
  try {
    return emit();
  } catch (error) {
    if (error instanceof ProgramTooLarge) return undefined;
    throw error;
  }
}

const TEXTS = "2. filter text means what libpcap says";
const NEEDS_LIBPCAP = `library:${LIBPCAP}` as const;

if (whyMissing(NEEDS_LIBPCAP) !== undefined) {
  testWith([NEEDS_LIBPCAP], TEXTS, () => {});
} else {
  const libpcap = new Libpcap();
  testProperty(
    TEXTS,
    { runs: 150, file },
    fc.property(
      expressionArbitrary,
      fc.array(linkedFrame("ethernet"), { minLength: 2, maxLength: 2 }),
      fc.nat(),
      (text, frames, seed) => {
        fc.pre(!incomparable(text));
        const netmask = undefined;
        compareOn(libpcap, { link: "ethernet", text, frames, seed, netmask });
      },
    ),
  );
}

testProperty(
  "3. no byte of a packet reaches a service without a live capability for it, and no packet has two owners",
  { runs: 400, file },
  fc.asyncProperty(
    movesOf(fc.oneof(deriveMove, delegateMove, receiveMove, submitMove)),
    anyNic,
    play,
  ),
);

/** All kinds of frames, in two batches. */
const everyFrame: readonly Move[] = [0, 1].map((half) => ({
  op: "receive",
  frames: Array.from({ length: FRAME_COUNT / 2 }, (_, i) => 2 * i + half),
}));

testProperty(
  "4. after a revocation returns, nothing more is posted to the subtree",
  { runs: 200, file },
  fc.asyncProperty(
    movesOf(fc.oneof(deriveMove, deriveMove, delegateMove, receiveMove)),
    fc.array(fc.tuple(endMove, anyMove), { minLength: 1, maxLength: 3 }),
    (before, ends) =>
      play([
        ...before,
        ...ends.flatMap(([end, other]) => [end, ...everyFrame, other]),
      ]),
  ),
);

testProperty(
  "5. no sequence of messages from a service enlarges a right, hangs the driver, or takes another holder's share",
  { runs: 400, file },
  fc.asyncProperty(
    movesOf(fc.oneof(submitMove, deriveMove, delegateMove, faultMove, anyMove)),
    anyNic,
    play,
  ),
);

const wire = fc.oneof(
  ethernetRepr().map((repr) => ({
    repr,
    bytes: emitted(repr, ethernetBytes, emitEthernet),
    parse: parseEthernet,
  })),
  arpRepr().map((repr) => ({
    repr,
    bytes: emitted(repr, arpBytes, emitArp),
    parse: parseArp,
  })),
  ipv4Repr(0).map((repr) => ({
    repr,
    bytes: emitted(repr, ipv4Bytes, emitIpv4),
    parse: parseIpv4,
  })),
  icmpRepr(64).map((repr) => ({
    repr,
    bytes: emitted(repr, icmpBytes, emitIcmp),
    parse: parseIcmp,
  })),
  udpRepr(64).map((repr) => ({
    repr,
    bytes: emitted(
      repr,
      udpBytes,
      (one, bytes, at) => emitUdp(one, bytes, at, 77),
    ),
    parse: (bytes: Uint8Array, start: number, end: number) =>
      parseUdp(bytes, start, end, 77),
  })),
);

function emitted<Repr>(
  repr: Repr,
  size: (repr: Repr) => number,
  emit: (repr: Repr, bytes: Uint8Array, at: number) => number,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size(repr));
  equal(emit(repr, bytes, 0), bytes.length);
  return bytes;
}

testProperty(
  "6. parse(emit(x)) = x; parsing never throws and never reads past the end",
  { runs: 1000, file },
  fc.property(
    wire,
    fc.oneof(anyFrame(), bytesUpTo(80)),
    fc.nat(),
    ({ repr, bytes, parse }, garbage, at) => {
      deepEqual(plain(parse(bytes, 0, bytes.length)), plain(repr));
      // Whatever lies behind the end makes no difference to what is read.
      const end = at % (garbage.length + 1);
      const cut = garbage.slice(0, end);
      const read = parse(garbage, 0, end);
      deepEqual(plain(read), plain(parse(cut, 0, end)));
    },
  ),
);

/** Numbers for bytes, so that views of different buffers compare. */
function plain(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(
      value,
      (_, one) => one instanceof Uint8Array ? [...one] : one,
    ),
  );
}

const services = {
  arp: arpService,
  ping: icmpEchoService,
  echo: udpEchoService,
};

testProperty(
  "7. the same seed gives the same trace",
  { runs: 8, file },
  fc.asyncProperty(
    fc.nat(),
    faultSchedule({
      stations: ["host", "peer"],
      parties: ["arp", "ping", "echo", "driver"],
      withinMs: 40,
    }),
    async (seed, schedule) => {
      const live = async () => {
        using world = simulate({
          seed,
          services,
          faults: { schedule },
          peer: {},
        });
        await world.run({ forMs: 40 });
        return formatTrace(world.trace);
      };
      const trace = await live();
      notEqual(trace, "");
      equal(await live(), trace);
    },
  ),
);
