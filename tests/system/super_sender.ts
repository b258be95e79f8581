/**
 * A service of a third party's that sends what it is ordered to:
 *
 * ```
 * 0          14             18             22
 * ├ Ethernet ┼ offload word ┼ frame length ┼ the frame's first bytes …
 * ```
 *
 * What follows these first bytes is a pattern. A frame that is no order is sent
 * back whole, with the offload word that it came with: every other one in place,
 * the others as frames of the core's own.
 */

import type { Frame, Outbox, ServiceFactory, Verdict } from "../../mod.ts";

export default (({ core, wire }) => {
  const ETHER_TYPE_ORDER = 0x88b5;
  const MAC_BYTES = 6;
  const counts = { ordered: 0, "sent-back": 0 };

  function obey({ bytes, start, length }: Frame, out: Outbox): Verdict {
    const first = bytes.subarray(start + 22, start + length);
    const sizeBytes = wire.getU32(bytes, start + 18);
    const frame = out.open(sizeBytes);
    if (frame === undefined) return "drop:no-room";
    frame.offload = wire.getU32(bytes, start + 14);
    frame.length = sizeBytes;
    frame.bytes.set(first, frame.start);
    for (let i = first.length; i < sizeBytes; i++) {
      const at = frame.start + i;
      frame.bytes[at] = Math.imul(i - first.length, 2654435761) >>> 24;
    }
    out.send();
    counts.ordered++;
    return "handled";
  }

  function sendBack(
    { bytes, start, length, offload }: Frame,
    out: Outbox,
  ): Verdict {
    const source = bytes.slice(start + MAC_BYTES, start + 2 * MAC_BYTES);
    bytes.copyWithin(start + MAC_BYTES, start, start + MAC_BYTES);
    bytes.set(source, start);
    if (counts["sent-back"]++ % 2 === 0) return "reply";
    const frame = out.open(length);
    if (frame === undefined) return "drop:no-room";
    frame.bytes.set(bytes.subarray(start, start + length), frame.start);
    frame.length = length;
    frame.offload = offload;
    out.send();
    return "handled";
  }

  return {
    receives: () => [{}],
    sends: () => [{}],
    make: () => ({
      wakeAt: core.NEVER,
      wake: () => {},
      counters: () => counts,
      receive: (frame, _now, out) =>
        wire.getU16(frame.bytes, frame.start + 12) === ETHER_TYPE_ORDER
          ? obey(frame, out)
          : sendBack(frame, out),
    }),
  };
}) satisfies ServiceFactory;
