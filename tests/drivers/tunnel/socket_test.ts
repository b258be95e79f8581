import { strictEqual, throws } from "node:assert/strict";
import { openSocket } from "../../../drivers/tunnel/socket.ts";
import { OVERHEAD_BYTES } from "../../../drivers/tunnel/datagram.ts";
import { FRAME_BYTES_MAX, openTunnel } from "../../../drivers/tunnel/tunnel.ts";
import { freePort, secretOf, until } from "./rig.ts";

const at = (port: number, hostname = "127.0.0.1") => ({ hostname, port });

Deno.test("a port that is taken, and an address that this machine has not, are said", () => {
  const port = freePort();
  using _first = openSocket(at(port), at(9));
  throws(
    () => openSocket(at(port), at(9)),
    new RegExp(
      `^Error: udp: cannot receive at 127\\.0\\.0\\.1:${port}: the port is taken; `,
    ),
  );
  throws(
    () => openSocket(at(port, "192.0.2.1"), at(9)),
    /cannot receive at 192\.0\.2\.1:\d+: this machine does not have the address/,
  );
});

Deno.test("what somebody else than the peer sends, or is too large, is counted and not looked into", async () => {
  const [here, peer, other] = [freePort(), freePort(), freePort()];
  using end = openTunnel({
    socket: openSocket(at(here), at(peer)),
    secret: await secretOf(1),
  });
  using fromPeer = openSocket(at(peer), at(here));
  using stranger = openSocket(at(other), at(here));
  for (let i = 0; i < 5; i++) await stranger.send(new Uint8Array(44));
  await until(() => end.counters()["rx-stranger"] === 5);
  await fromPeer.send(new Uint8Array(0));
  await fromPeer.send(new Uint8Array(FRAME_BYTES_MAX + OVERHEAD_BYTES));
  await fromPeer.send(new Uint8Array(FRAME_BYTES_MAX + OVERHEAD_BYTES + 1));
  await fromPeer.send(new Uint8Array(60_000));
  await until(() => end.counters()["rx-too-large"] === 2);
  strictEqual(end.counters()["rx-garbage"], 2);
  strictEqual(end.counters()["rx-bad-key"], 0);
});
