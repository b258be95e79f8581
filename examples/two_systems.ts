// deno run examples/two_systems.ts: it needs no permission at all.

/** Two systems on one wire ping each other. */

import * as net from "../mod.ts";

const manifests = ["10.77.0.2/24", "10.77.0.3/24"]
  .map((address) => net.defaultManifest({ nic: "wire:lab", address }));

/** A ping of one system's to the other, as a frame of 50 bytes. */
function ping(from: net.Manifest, to: net.Manifest): Uint8Array {
  const frame = new Uint8Array(50);
  const [source, destination] = [from.address.address, to.address.address];
  const flags = { dscp: 0, ecn: 0, dontFragment: true, moreFragments: false };
  const fragment = { identification: 0, fragmentOffset: 0, payloadBytes: 16 };
  const options = { options: new Uint8Array(), ttl: 64, protocol: 1 };
  const ip = { source, destination, ...flags, ...fragment, ...options };
  const link = { source: from.mac, destination: to.mac, tags: [] };
  net.emitEthernet({ ...link, etherType: 0x0800 }, frame, 0);
  net.emitIpv4(ip, frame, 14);
  const echo = { kind: "echo-request", identifier: 1, sequence: 1 } as const;
  net.emitIcmp({ ...echo, payload: new Uint8Array(8) }, frame, 34);
  return frame;
}

const start = (one: net.Manifest) => net.boot(one, { confined: false });
const systems = await Promise.all(manifests.map(start));
for (const [i, system] of systems.entries()) {
  const sends = net.ethernet().src(net.formatMac(manifests[i]!.mac)).grant;
  const replies = net.ipv4().icmp().type(0).grant;
  await using receiver = await system.open(replies, { sends });
  receiver.send(ping(manifests[i]!, manifests[1 - i]!));
  for await (const { bytes } of receiver) {
    console.log(net.describeFrame(bytes, 0, bytes.length));
    break;
  }
}
await Promise.all(systems.map((system) => system.stop()));
