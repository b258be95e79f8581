// deno run --allow-read examples/replay_filter.ts CAPTURE

/** Prints which packets of a capture (pcap or pcapng) a filter takes. */

import {
  arp,
  describeFrame,
  describeGrant,
  either,
  ipv4,
  LINK_ETHERNET,
  matches,
  openCapture,
  openCaptureFile,
} from "../mod.ts";

const [path] = Deno.args;
if (path === undefined) throw new Error("which capture? Name a file");

const grant = either(arp(), ipv4().icmp(), ipv4().udp().dstPort(53));
console.log(`filter: ${describeGrant(grant)}`);

using file = openCaptureFile(path);
const capture = openCapture(file.chunks);
let total = 0;
let taken = 0;
for (let packet = capture.next(); packet; packet = capture.next()) {
  const { bytes, start, length, linkType } = packet;
  total++;
  if (linkType !== LINK_ETHERNET) continue;
  if (!matches(grant, bytes, start, length)) continue;
  taken++;
  console.log(describeFrame(bytes, start, start + length));
}
console.log(`${taken} of ${total} packets`);
