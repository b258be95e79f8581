// deno run examples/watch_capability.ts: it needs no permission at all.

/** Holds a capability for what no service wants, and prints its first ten packets. */

import {
  boot,
  defaultManifest,
  describeFrame,
  describeGrant,
  ipv4,
} from "../mod.ts";

const system = await boot(defaultManifest(), { confined: false });

// Port 7 is the service's already; a grant that overlapped it would be refused.
const grant = ipv4().dst("10.77.0.2").udp().dstPort(8, 65535).grant;
{
  await using receiver = await system.open(grant);
  console.log(`the packets of: ${describeGrant(grant)}`);
  let count = 0;
  for await (const { bytes } of receiver) {
    console.log(describeFrame(bytes, 0, bytes.length));
    if (++count === 10) break;
  }
} // Out of its scope the capability is given up.

await system.stop();
