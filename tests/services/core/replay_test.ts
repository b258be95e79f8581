import { equal } from "node:assert/strict";
import { parseManifest } from "../../../services/manifest/manifest.ts";
import { boot } from "../../../services/system/boot.ts";
import { writeCapture } from "../wire/capture_file.ts";

/** ARP requests for 10.77.0.2, which the service `arp` answers. */
const REQUESTS = Array.from({ length: 50 }, (_, i) =>
  Uint8Array.from([
    ...[0x02, 0x53, 0x0a, 0x4d, 0, 2, 2, 0, 0, 0, 0, 1, 8, 6],
    ...[0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 1, 10, 77, 0, 100 + i],
    ...[0, 0, 0, 0, 0, 0, 10, 77, 0, 2],
  ]));

for (const confined of [false, true]) {
  const where = confined ? "in confined workers" : "in the caller's thread";
  Deno.test(`a capture that is replayed at once reaches services ${where} from its first packet on`, async () => {
    const path = writeCapture(REQUESTS);
    try {
      const manifest = parseManifest({
        nic: `pcap:${path}`,
        address: "10.77.0.2/24",
        pace: "at-once",
        services: { arp: { core: "arp" } },
      });
      const system = await boot(manifest, { confined });
      await system.ended;
      const { services, unclaimedPackets } = await system.stop();
      equal(services[0]!.counters.answered, REQUESTS.length);
      equal(unclaimedPackets, 0);
    } finally {
      Deno.removeSync(path);
    }
  });
}

Deno.test("a system that is started paused receives nothing before receive()", async () => {
  const path = writeCapture(REQUESTS);
  try {
    const manifest = {
      ...parseManifest({
        nic: `pcap:${path}`,
        address: "10.77.0.2/24",
        pace: "at-once",
        services: { arp: { core: "arp" } },
      }),
      services: {},
    };
    const system = await boot(manifest, { confined: false, paused: true });
    await using receiver = await system.open([{}]);
    equal((await system.snapshot()).nic.receivedPackets, 0);
    system.receive();
    let count = 0;
    for await (const packet of receiver) {
      equal(packet.bytes[31], 100 + count);
      if (++count === REQUESTS.length) break;
    }
    await system.stop();
  } finally {
    Deno.removeSync(path);
  }
});
