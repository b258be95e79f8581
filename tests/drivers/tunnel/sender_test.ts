import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { readDatagram } from "../../../drivers/tunnel/datagram.ts";
import { TunnelSender } from "../../../drivers/tunnel/sender.ts";
import { secretOf } from "./rig.ts";

const CHALLENGE = new Uint8Array(16).fill(1);

/** The session that a request is for. */
async function requestedBy(sender: TunnelSender): Promise<Uint8Array> {
  const request = readDatagram(await sender.request());
  ok(request?.kind === "request");
  return request.session;
}

Deno.test("a request that is repeated while its offer is taken is for the same session, and asks for none after it", async () => {
  const sender = new TunnelSender(await secretOf(1));
  const first = sender.begin();
  const taking = sender.take(first, CHALLENGE);
  // The timer of the request goes off while the key is being made.
  deepStrictEqual(await requestedBy(sender), first);
  strictEqual(await taking, "established");
  strictEqual(sender.wants, false);
});

Deno.test("of two offers to one request that are taken at once the first counts, with its challenge alone", async () => {
  const sender = new TunnelSender(await secretOf(1));
  const session = sender.begin();
  const outcomes = await Promise.all([
    sender.take(session, CHALLENGE),
    sender.take(session, CHALLENGE),
  ]);
  deepStrictEqual(outcomes.sort(), ["established", "stale"]);
  const frame = new Uint8Array(60);
  const [a, b] = [await sender.seal(frame), await sender.seal(frame)].map(
    (bytes) => readDatagram(bytes),
  );
  ok(a?.kind === "frame" && b?.kind === "frame");
  deepStrictEqual([a.sequence, b.sequence], [0, 1]);
});
