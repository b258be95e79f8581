import assert from "node:assert/strict";
import fc from "fast-check";
import { RecordView } from "../../../caps/port/records.ts";
import { ethernet, ipv4 } from "../../../services/filter/grant/builder.ts";
import { matches } from "../../../services/filter/tree/reference.ts";
import { testProperty } from "../../property.ts";
import { discard, echo, frames } from "./plans.ts";
import { packetsOf, Rig } from "./rig.ts";

const file = import.meta.url;

testProperty(
  "observers get a copy of each packet that they may see, and change nothing for its owner",
  { runs: 100, file },
  fc.property(
    fc.array(frames, { maxLength: 20 }),
    fc.constantFrom(0, 128, 4096),
    (sent, copyBytesMax) => {
      const owner = { ...echo, copyBytesMax, quotaPages: 10 };
      const observers = [
        { ...owner, receives: ipv4().udp().grant, observes: true },
        { ...owner, receives: ethernet().grant, observes: true },
      ];
      using alone = new Rig([owner, discard]);
      using rig = new Rig([owner, discard, ...observers]);
      const got = [alone, rig].map((one) =>
        one.holders.map(() => [] as string[])
      );
      for (const frame of sent) {
        [alone, rig].forEach((one, which) => {
          one.far.send(frame, 0, frame.length);
          one.turn();
          one.holders.forEach((holder, i) => {
            for (let d = holder.port.take(); d; d = holder.port.take()) {
              for (const { bytes } of packetsOf(d)) {
                got[which]![i]!.push(bytes.join());
              }
              const view = new RecordView(d.records);
              for (let n = 0, at = 0; n < d.count; n++, at += view.stride(at)) {
                view.setLength(at, 0);
              }
              holder.port.post(d, [d.records, ...d.pages]);
            }
          });
          one.turn();
        });
      }
      assert.deepEqual(got[1]!.slice(0, 2), got[0]);
      observers.forEach(({ receives }, i) => {
        const seen = sent.filter((frame) =>
          matches(receives, frame, 0, frame.length)
        );
        assert.deepEqual(got[1]![i + 2], seen.map((frame) => frame.join()));
      });
      assert.equal(
        rig.service.counts().unclaimedPackets,
        alone.service.counts().unclaimedPackets,
      );
    },
  ),
);
