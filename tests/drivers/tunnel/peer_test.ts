/** A tunnel's peer is known by its key, wherever it is. */

import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { KIND } from "../../../drivers/tunnel/datagram.ts";
import { Peer } from "../../../drivers/tunnel/peer.ts";
import type { TunnelEnd } from "../../../drivers/tunnel/tunnel.ts";
import { collectFrom } from "../emulated/rig.ts";
import { type Pair, tunnelPair, until } from "./rig.ts";

const ELSEWHERE = { hostname: "198.51.100.7", port: 61_000 };

function send(end: TunnelEnd): void {
  end.send(new Uint8Array(60), 0, 60);
}

/** Sends a frame, which arrives at the other end. */
async function arrives({ ends }: Pair, from: 0 | 1): Promise<void> {
  const to = ends[from === 0 ? 1 : 0];
  send(ends[from]);
  await until(() => to.peek() > 0, "a frame to arrive");
  collectFrom(to);
}

Deno.test("frames go where the newest authenticated frame came from, both ways, again and again", async () => {
  using pair = await tunnelPair();
  for (let port = 5000; port < 5005; port++) {
    const side = port % 2 === 0 ? 0 : 1;
    pair.medium.addresses[side] = { hostname: "198.51.100.9", port };
    await arrives(pair, side);
    await arrives(pair, side === 0 ? 1 : 0);
  }
  const moves = pair.ends.map((end) => end.counters()["peer-moves"]!);
  deepStrictEqual(moves, [2, 3]);
});

Deno.test("no frame that was sent before, and none that the key has not sealed, moves the peer", async () => {
  using pair = await tunnelPair();
  const { medium, ends } = pair;
  // One is kept back on the way, and comes late.
  let kept: Uint8Array<ArrayBuffer> | undefined;
  medium.pass = (datagram) => {
    if (datagram[1] !== KIND.frame || kept !== undefined) return [datagram];
    kept = datagram;
    return [];
  };
  send(ends[0]);
  await until(() => kept !== undefined);
  await arrives(pair, 0);
  const frames = medium.sent(0, KIND.frame);
  const forged = frames[1]!.slice();
  forged[40]! ^= 1;
  const before = medium.log.length;
  medium.injectFrom(ELSEWHERE, 1, ...medium.sent(0), forged, kept!);
  await until(() => medium.isRead(1), "all of it to be read");
  await until(() => ends[1].peek() > 0, "the late frame");
  strictEqual(ends[1].counters()["peer-moves"], 0);
  strictEqual(collectFrom(ends[1]).length, 1);
  await arrives(pair, 1);
  const sent = medium.log.slice(before)
    .filter(({ from, bytes }) => from === 1 && bytes[1] === KIND.frame);
  strictEqual(sent.every(({ to }) => to.port !== ELSEWHERE.port), true);
});

Deno.test("an end that has nothing to send shows where it is", async () => {
  using pair = await tunnelPair({ keepaliveMs: 20 });
  pair.medium.addresses[0] = ELSEWHERE;
  await until(() => pair.ends[1].counters()["peer-moves"] === 1, "a keepalive");
  await arrives(pair, 1);
  strictEqual(pair.ends[0].peek(), 0);
  strictEqual(pair.ends[1].peek(), 0);
});

Deno.test("nobody at the other end is said once, after some seconds, and again when it falls silent", () => {
  let nowMs = 0;
  const address = { hostname: "192.0.2.1", port: 5000 };
  const peer = new Peer({ address, keepaliveMs: 15_000, nowMs: () => nowMs });
  nowMs = 4999;
  deepStrictEqual(peer.takeNotices(), []);
  nowMs = 5000;
  const [line, ...more] = peer.takeNotices();
  match(line!, /^udp: nobody answers at 192\.0\.2\.1:5000; is the other end/);
  deepStrictEqual(more, []);
  nowMs = 100_000;
  deepStrictEqual(peer.takeNotices(), []);
  peer.heard();
  nowMs += 59_999;
  deepStrictEqual(peer.takeNotices(), []);
  nowMs += 1;
  match(
    peer.takeNotices().join(),
    /last at 192\.0\.2\.1:5000, has said nothing/,
  );
  peer.heard();
  deepStrictEqual(peer.takeNotices(), []);
});

Deno.test("another key at the other end is said", () => {
  let nowMs = 0;
  const address = { hostname: "192.0.2.1", port: 5000 };
  const peer = new Peer({ address, keepaliveMs: 15_000, nowMs: () => nowMs });
  peer.isBadKeyOf(address);
  nowMs = 5000;
  match(peer.takeNotices().join(), /nobody answers at \S+ with this key;/);
});
