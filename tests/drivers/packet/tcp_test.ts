/** A kernel's TCP stream, sent with TSO, to a receiver behind a packet socket that knows nothing of it. */

import { deepEqual, equal, ok } from "node:assert/strict";
import { Transport } from "../../../drivers/segment/transport.ts";
import { ethernet } from "../../../services/filter/grant/builder.ts";
import { testWith } from "../../needs.ts";
import { INTERFACE, type Namespace, NETNS_NEEDS } from "../../netns.ts";
import { Digest } from "../tap/tcp_peer.ts";
import { End, makeOffloadingPair } from "./end.ts";
import { TcpReceiver } from "./tcp_receiver.ts";

const ADDRESS = "10.77.0.9";
const MAC = "02:00:00:00:00:09";
const PORT = 9000;
const MSS = 1460;
const STREAM_BYTES = 8 << 20;
const PEER = new URL("../tap/tcp_peer.ts", import.meta.url).pathname;
/** The sender's own timeout would be a quarter of an hour. */
const DEADLINE_MS = 20_000;

async function send(from: Namespace): Promise<unknown> {
  const stream = ["send", ADDRESS, String(PORT), String(STREAM_BYTES)];
  const command = [Deno.execPath(), "run", "--no-prompt", "--allow-net", PEER];
  const peer = from.spawn([...command, ...stream], { stdout: "piped" });
  const { stdout } = await peer.output();
  return JSON.parse(new TextDecoder().decode(stdout));
}

/** Feeds what arrives to `receiver`, and sends its answers, until the stream has ended. */
async function run(end: End, receiver: TcpReceiver): Promise<void> {
  const packet = new Transport();
  const untilMs = performance.now() + DEADLINE_MS;
  while (!receiver.ended && performance.now() < untilMs) {
    for (const { bytes } of await end.take(1)) {
      ok(bytes.length <= MSS + 54, `a frame of ${bytes.length} bytes`);
      if (!packet.find(bytes, 0, bytes.length)) continue;
      const answer = receiver.take(bytes, packet);
      if (answer !== undefined) end.send(answer, 0);
    }
  }
}

testWith(
  NETNS_NEEDS,
  "a TCP stream that a kernel sends with TSO arrives to the last byte, in frames of its MTU",
  async () => {
    await using pair = await makeOffloadingPair();
    const { left, right } = pair;
    await left.run(
      "ip",
      "neigh",
      "add",
      ADDRESS,
      "lladdr",
      MAC,
      "dev",
      INTERFACE,
    );
    using end = new End(right.name, ethernet().dst(MAC).grant);
    const digest = new Digest();
    const receiver = new TcpReceiver(MSS, (bytes) => digest.add(bytes));
    const [sent] = await Promise.all([send(left), run(end, receiver)]);
    ok(receiver.ended, `it stalled after ${digest}`);
    deepEqual(JSON.parse(`${digest}`), sent);
    const counters = end.driver.counters();
    equal(counters["rx-too-long"], 0);
    equal(counters["rx-bad-header"], 0);
    // With TSO a packet of the kernel's stands for several segments.
    const superPackets = counters["rx-super-packets"]!;
    ok(superPackets > 50, `${superPackets} super-packets`);
    ok(receiver.segments > 4 * superPackets);
  },
);
