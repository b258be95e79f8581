import assert from "node:assert/strict";
import fc from "fast-check";
import { makeArp } from "../../../services/arp/core.ts";
import type { Core, Frame, Outbox } from "../../../services/core/core.ts";
import { makeIcmpEcho } from "../../../services/icmp-echo/core.ts";
import { ARP_RETRY_US, makePeer } from "../../../services/peer/core.ts";
import { makeUdpEcho } from "../../../services/udp-echo/core.ts";
import { anyFrame, type FrameBytes } from "../../arbitraries/frames.ts";
import { testProperty } from "../../property.ts";
import { NEIGHBOUR, OWN } from "../core/core_harness.ts";

const file = import.meta.url;

const PEER = {
  ...NEIGHBOUR,
  target: OWN.address,
  seed: 1,
  pingIntervalUs: 1000,
  udpIntervalUs: 700,
};

/** An outbox that keeps what is sent, with room for so many frames. */
class Sent implements Outbox {
  readonly frames: FrameBytes[] = [];
  room = Infinity;
  #open: Frame | undefined;

  open(sizeBytes: number): Frame | undefined {
    if (this.frames.length >= this.room) return undefined;
    // An odd place in a larger buffer, as a driver may have it.
    const bytes = new Uint8Array(sizeBytes + 11);
    return this.#open = {
      bytes,
      start: 7,
      length: 0,
      capacity: sizeBytes,
      offload: 0,
    };
  }

  send(): void {
    const frame = this.#open!;
    assert.ok(frame.length <= frame.capacity, "longer than was asked for");
    const end = frame.start + frame.length;
    this.frames.push(frame.bytes.slice(frame.start, end));
    this.#open = undefined;
  }

  take(): FrameBytes[] {
    return this.frames.splice(0);
  }
}

/** What `cores` answer to `sent`: the first that does not drop a frame has it. */
function answers(cores: readonly Core[], sent: readonly FrameBytes[]) {
  const replies: FrameBytes[] = [];
  for (const bytes of sent) {
    for (const core of cores) {
      const copy = bytes.slice();
      const length = copy.length;
      const frame = {
        bytes: copy,
        start: 0,
        length,
        capacity: length,
        offload: 0,
      };
      const verdict = core.receive(frame, 0, new Sent());
      if (verdict === "reply") {
        replies.push(copy.slice(frame.start, frame.start + frame.length));
      }
    }
  }
  return replies;
}

function deliver(peer: Core, frames: readonly FrameBytes[], now: number) {
  for (const bytes of frames) {
    const length = bytes.length;
    const frame = {
      bytes: bytes.slice(),
      start: 0,
      length,
      capacity: length,
      offload: 0,
    };
    peer.receive(frame, now, new Sent());
  }
}

/** The cores of a host that answers everything. */
function host(): readonly Core[] {
  return [makeArp(OWN), makeIcmpEcho(OWN), makeUdpEcho(OWN)];
}

/**
 * Runs `peer` against `cores` until `untilUs` of virtual time; what `through`
 * makes of the answers is what the peer gets.
 */
function run(
  peer: Core,
  cores: readonly Core[],
  untilUs: number,
  through = (frames: FrameBytes[]) => frames,
): FrameBytes[] {
  const trace: FrameBytes[] = [];
  const out = new Sent();
  for (let now = peer.wakeAt; now < untilUs; now = peer.wakeAt) {
    peer.wake(now, out);
    assert.ok(peer.wakeAt > now, "the next wake-up is later");
    const sent = out.take();
    trace.push(...sent);
    deliver(peer, through(answers(cores, sent)), now);
  }
  return trace;
}

testProperty(
  "every ping and every datagram is answered intact by the cores, for any seed",
  { runs: 10, file },
  fc.property(fc.integer(), (seed) => {
    const peer = makePeer({ ...PEER, seed, noisePercent: 30 });
    const cores = host();
    run(peer, cores, 200_000);
    const counts = peer.counters();
    assert.equal(counts["arp-resolved"], 1);
    assert.equal(counts["ping-sent"], 200);
    assert.equal(counts["ping-answered"], 200);
    assert.equal(counts["udp-sent"], 286);
    assert.equal(counts["udp-answered"], 286);
    assert.ok((counts["noise-sent"] ?? 0) > 50);
    assert.equal(counts["wrong-answers"], undefined);
    const [arp, icmp, udp] = cores.map((core) => core.counters());
    assert.deepEqual(arp, { answered: 1 });
    assert.deepEqual(icmp, { echoed: 200 });
    assert.deepEqual(udp, { echoed: 286 });
  }),
);

Deno.test("pings and datagrams are of all sizes that they may have", () => {
  const peer = makePeer({ ...PEER, noisePercent: 0 });
  const trace = run(peer, host(), 5_000_000);
  const sizes = (protocol: number) =>
    trace.filter((frame) => frame[12] === 8 && frame[13] === 0)
      .filter((frame) => frame[23] === protocol)
      .map((frame) => frame.length - 42);
  for (const [protocol, least] of [[1, 0], [17, 1]] as const) {
    const drawn = sizes(protocol);
    assert.ok(Math.min(...drawn) >= least && Math.min(...drawn) < 20);
    assert.ok(Math.max(...drawn) <= 1472 && Math.max(...drawn) > 1450);
  }
});

testProperty(
  "the same seed sends the same frames, another seed others",
  { runs: 5, file },
  fc.property(fc.integer(), (seed) => {
    const trace = (seed: number) =>
      run(makePeer({ ...PEER, seed }), host(), 50_000);
    assert.deepEqual(trace(seed), trace(seed));
    assert.notDeepEqual(trace(seed), trace(seed + 1));
  }),
);

testProperty(
  "an answer with any one bit flipped is a wrong one",
  { runs: 20, file },
  fc.property(fc.integer(), fc.nat(), (seed, flip) => {
    const peer = makePeer({ ...PEER, seed, noisePercent: 0 });
    let answered = 0;
    run(peer, host(), 30_000, (frames) => {
      for (const frame of frames) {
        if (frame[13] === 6) continue;
        const checked = frame[23] === 1 || frame[40] !== 0 || frame[41] !== 0;
        // Without a checksum, a bit of the echoed payload; else any behind Ethernet.
        const from = checked ? 14 : 42;
        const at = from + (flip >>> 3) % (frame.length - from);
        frame[at] = frame[at]! ^ 1 << (flip & 7);
        // One that is no longer for the peer is nobody's answer.
        if (at < 30 || at > 33) answered++;
      }
      return frames;
    });
    const counts = peer.counters();
    assert.equal(counts["ping-answered"], undefined);
    assert.equal(counts["udp-answered"], undefined);
    assert.equal(counts["wrong-answers"], answered || undefined);
  }),
);

Deno.test("an answer that comes twice is once a wrong one", () => {
  const peer = makePeer({ ...PEER, noisePercent: 0 });
  run(peer, host(), 10_000, (frames) => frames.flatMap((f) => [f, f]));
  const counts = peer.counters();
  assert.equal(counts["ping-answered"], counts["ping-sent"]);
  assert.equal(
    counts["wrong-answers"],
    counts["ping-sent"]! + counts["udp-sent"]!,
  );
});

Deno.test("answers that are lost are not counted, and nothing stops", () => {
  const peer = makePeer({ ...PEER, noisePercent: 0 });
  let n = 0;
  run(peer, host(), 100_000, (frames) => frames.filter(() => n++ % 3 === 0));
  const counts = peer.counters();
  assert.equal(counts["ping-sent"], 100);
  assert.ok(counts["ping-answered"]! < 60);
  assert.equal(counts["wrong-answers"], undefined);
});

Deno.test("the target is asked for again until it answers", () => {
  const peer = makePeer(PEER);
  run(peer, [], 10 * ARP_RETRY_US);
  assert.deepEqual(peer.counters(), { "arp-sent": 10 });
});

Deno.test("a peer that wakes late makes up for a burst, and no more", () => {
  const peer = makePeer({ ...PEER, noisePercent: 0, burst: 5 });
  run(peer, host(), 1);
  const before = peer.counters()["ping-sent"] ?? 0;
  const out = new Sent();
  peer.wake(1_000_000, out);
  assert.equal(peer.counters()["ping-sent"]! - before, 5);
  assert.ok(peer.wakeAt > 1_000_000 && peer.wakeAt <= 1_001_000);
});

Deno.test("an outbox without room costs frames, not time", () => {
  const peer = makePeer({ ...PEER, noisePercent: 0 });
  run(peer, host(), 1);
  const full = new Sent();
  full.room = 0;
  for (let i = 0; i < 20; i++) {
    const now = peer.wakeAt;
    peer.wake(now, full);
    assert.ok(peer.wakeAt > now);
  }
  assert.ok(peer.counters()["no-room"]! >= 20);
  // What had no room was not sent, and so is not awaited: all goes on intact.
  const next = peer.wakeAt;
  run(peer, host(), next + 10_000);
  const counts = peer.counters();
  assert.equal(counts["ping-answered"], counts["ping-sent"]);
  assert.equal(counts["wrong-answers"], undefined);
});

Deno.test("the peer answers ARP for itself", () => {
  const ours = makePeer({
    ...PEER,
    mac: OWN.mac,
    address: OWN.address,
    target: NEIGHBOUR.address,
  });
  const peer = makePeer(PEER);
  run(ours, [peer], 1);
  assert.equal(ours.counters()["arp-resolved"], 1);
});

testProperty(
  "whatever the wire brings, the peer does not throw",
  { runs: 500, file },
  fc.property(fc.array(anyFrame(), { maxLength: 5 }), (frames) => {
    const peer = makePeer(PEER);
    deliver(peer, frames, 0);
    run(peer, host(), 2_000);
    deliver(peer, frames, 2_000);
  }),
);

Deno.test("makePeer() refuses numbers out of their bounds", () => {
  for (
    const change of [
      { pingIntervalUs: 0 },
      { udpIntervalUs: NaN },
      { noisePercent: 101 },
      { payloadBytesMax: 1473 },
      { burst: 0 },
    ]
  ) assert.throws(() => makePeer({ ...PEER, ...change }), RangeError);
});
