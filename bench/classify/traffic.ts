/**
 * Frames such as a capture at a router has: conversations with web and name
 * servers over IPv4 and IPv6, a third of them in VLANs, with some of all else
 * that turns up.
 */

import {
  addressNumber,
  type DatagramFields,
  FRAME_BYTES,
  ICMP,
  makeArpRequest,
  makeDatagram,
  TCP,
  UDP,
} from "./frame.ts";
import { seededRandom } from "./random.ts";

const NET_10 = addressNumber("10.0.0.0");
const ELSEWHERE = addressNumber("198.18.0.0");

/** `count` frames, the same in every run. A few were cut short by whoever captured them. */
export function capturedFrames(count: number): Uint8Array<ArrayBuffer>[] {
  const random = seededRandom(0xca97);
  return Array.from({ length: count }, () => {
    const frame = capturedFrame(random);
    if (random() >= 0.02) return frame;
    return frame.slice(0, Math.floor(random() * FRAME_BYTES));
  });
}

function capturedFrame(random: () => number): Uint8Array<ArrayBuffer> {
  const vlan = random() < 0.33
    ? { vlan: random() < 0.5 ? 100 : 1 + Math.floor(random() * 4094) }
    : {};
  const source = addressOf(random);
  const target = addressOf(random);
  if (random() < 0.04) return makeArpRequest(source, target, vlan.vlan);
  return makeDatagram({
    version: random() < 0.65 ? 4 : 6,
    ...vlan,
    source,
    target,
    ...transportOf(random),
    ...(random() < 0.02 ? { optionWords: 1 + Math.floor(random() * 4) } : {}),
    ...(random() < 0.02 ? { fragment: 64 } : {}),
  });
}

function addressOf(random: () => number): number {
  const host = Math.floor(random() * 65536);
  return (random() < 0.4 ? NET_10 : ELSEWHERE) + host;
}

type Transport = Pick<
  DatagramFields,
  "protocol" | "sourcePort" | "targetPort"
>;

/** Who asks has any port, who answers one that is known; each sends about as much. */
function transportOf(random: () => number): Transport {
  const kind = random();
  if (kind > 0.96) return { protocol: ICMP, sourcePort: 0, targetPort: 0 };
  const protocol = kind < 0.62 ? TCP : UDP;
  const known = protocol === TCP ? [443, 443, 443, 80, 22] : [53, 53, 443, 123];
  const server = known[Math.floor(random() * known.length)]!;
  const client = 32768 + Math.floor(random() * 28232);
  return random() < 0.5
    ? { protocol, sourcePort: client, targetPort: server }
    : { protocol, sourcePort: server, targetPort: client };
}
