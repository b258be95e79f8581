import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { Allowance } from "../../../drivers/tunnel/allowance.ts";
import { type Bytes, readDatagram } from "../../../drivers/tunnel/datagram.ts";
import {
  type Opening,
  TunnelReceiver,
} from "../../../drivers/tunnel/receiver.ts";
import type { Secret } from "../../../drivers/tunnel/secret.ts";
import { TunnelSender } from "../../../drivers/tunnel/sender.ts";
import { secretOf } from "./rig.ts";

/** A sender with a session under the challenge that `receiver` offers now. */
async function senderTo(
  receiver: TunnelReceiver,
  secret: Secret,
): Promise<TunnelSender> {
  const sender = new TunnelSender(secret);
  await sender.request();
  const offer = readDatagram(await receiver.offer(sender.begin()));
  ok(offer?.kind === "offer");
  const { session, challenge } = offer;
  strictEqual(await sender.take(session, challenge), "established");
  return sender;
}

function opened(receiver: TunnelReceiver, datagram: Bytes): Opening {
  const frame = readDatagram(datagram);
  ok(frame?.kind === "frame");
  const opening = receiver.open(frame);
  ok(typeof opening !== "string", String(opening));
  return opening;
}

Deno.test("of two sessions under one challenge one is taken up, however their frames cross", async () => {
  const secret = await secretOf(1);
  const receiver = new TunnelReceiver(
    secret,
    new Allowance(1, 100, () => 0),
  );
  const [a, b] = [
    await senderTo(receiver, secret),
    await senderTo(receiver, secret),
  ];
  const [fromA, fromB] = [
    await a.seal(new Uint8Array(60)),
    await b.seal(new Uint8Array(60)),
  ];
  // All of them are being opened before any is decided on.
  const openings = [fromA, fromB, fromA, fromB].map((datagram) =>
    opened(receiver, datagram)
  );
  for (const { frame } of openings) {
    deepStrictEqual(await frame, new Uint8Array(60));
  }
  deepStrictEqual(
    openings.map((opening) => receiver.commit(opening)),
    ["received", "replayed", "replayed", "replayed"],
  );
});

Deno.test("an offer is good for one request, once", async () => {
  const secret = await secretOf(1);
  const receiver = new TunnelReceiver(secret, new Allowance(1, 9, () => 0));
  const sender = new TunnelSender(secret);
  await sender.request();
  const session = sender.begin().slice();
  const read = readDatagram(await receiver.offer(session));
  ok(read?.kind === "offer");
  strictEqual(await sender.take(session, read.challenge), "established");
  const first = await sender.seal(new Uint8Array(60));
  strictEqual(await sender.take(session, read.challenge), "stale");
  strictEqual(await sender.take(new Uint8Array(8), read.challenge), "stale");
  strictEqual(await sender.take(session, new Uint8Array(16)), "forgotten");
  const second = await sender.seal(new Uint8Array(60));
  // The session went on: the same frame is another datagram.
  ok(first.some((byte, i) => byte !== second[i]));
  strictEqual(second[15], 1);
});

Deno.test("frames of other sessions are opened as often as is allowed, and no more", async () => {
  const secret = await secretOf(1);
  const receiver = new TunnelReceiver(secret, new Allowance(1, 2, () => 0));
  const strangers = await Promise.all(
    [0, 1, 2].map(() => senderTo(receiver, secret)),
  );
  const openings = [];
  for (const stranger of strangers) {
    const frame = readDatagram(await stranger.seal(new Uint8Array(60)));
    ok(frame?.kind === "frame");
    openings.push(receiver.open(frame));
  }
  deepStrictEqual(openings.map((one) => typeof one), [
    "object",
    "object",
    "string",
  ]);
  strictEqual(openings[2], "unproven");
});
