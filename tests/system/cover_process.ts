/**
 * A system on an interface whose grants are more than the kernel takes a program
 * for: besides its services, many ranges of ports for its own address. Runs until
 * its standard input ends; says as JSON, a line each, its first snapshot, the one
 * before it stops, and the last.
 *
 *     deno run -A cover_process.ts NIC CIDR
 */

import { ethernet } from "../../services/filter/grant/builder.ts";
import type { Grant } from "../../services/filter/grant/grant.ts";
import { defaultManifest } from "../../services/manifest/manifest.ts";
import { boot } from "../../services/system/boot.ts";
import { formatMac } from "../../services/wire/address.ts";

const HOLDERS = 48;
const RANGES = 64;

const [nic, address] = Deno.args;
const manifest = defaultManifest({
  nic: nic!,
  address: address!,
});
const own = ethernet().dst(formatMac(manifest.mac));

/** Ranges of two ports, above those that services have. */
function ranges(index: number): Grant {
  return Array.from({ length: RANGES }, (_, i) => {
    const low = 1024 + (index * RANGES + i) * 8;
    return own.ipv4().udp().dstPort(low, low + 1).grant[0]!;
  });
}

const system = await boot(manifest, { confined: false });
await Promise.all(
  Array.from(
    { length: HOLDERS },
    (_, index) => system.open(ranges(index), { quotaPages: 1 }),
  ),
);
console.log(JSON.stringify(await system.snapshot()));
for await (const _ of Deno.stdin.readable);
console.log(JSON.stringify(await system.snapshot()));
console.log(JSON.stringify(await system.stop()));
