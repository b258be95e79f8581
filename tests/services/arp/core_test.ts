import assert from "node:assert/strict";
import fc from "fast-check";
import { makeArp } from "../../../services/arp/core.ts";
import { ARP_REQUEST, parseArp } from "../../../services/wire/arp.ts";
import { parseEthernet } from "../../../services/wire/ethernet.ts";
import { anyFrame, buildArp, flipped } from "../../arbitraries/frames.ts";
import {
  bytesUpTo,
  hostAddress,
  stationMac,
  vlanTags,
} from "../../arbitraries/reprs.ts";
import { testProperty } from "../../property.ts";
import {
  ethernetToUs,
  NEIGHBOUR,
  OWN,
  receiveOne,
} from "../core/core_harness.ts";

const file = import.meta.url;
const BROADCAST = new Uint8Array(6).fill(255);
const ZERO_MAC = new Uint8Array(6);

/** A request for our address from the neighbour, with some of it changed. */
function request(change: Partial<Parameters<typeof buildArp>[1]> = {}) {
  return buildArp({ ...ethernetToUs(0x0806), destination: BROADCAST }, {
    operation: ARP_REQUEST,
    senderMac: NEIGHBOUR.mac,
    senderAddress: NEIGHBOUR.address,
    targetMac: ZERO_MAC,
    targetAddress: OWN.address,
    ...change,
  });
}

testProperty(
  "a request for our address is answered to the asker, VLAN tags and all",
  { runs: 300, file },
  fc.property(
    stationMac(),
    fc.oneof(fc.constant(0), hostAddress()),
    vlanTags(),
    bytesUpTo(18),
    (senderMac, senderAddress, tags, padding) => {
      fc.pre(senderAddress !== OWN.address);
      const ethernet = {
        destination: BROADCAST,
        source: senderMac,
        tags,
        etherType: 0x0806,
      };
      const arp = {
        operation: ARP_REQUEST,
        senderMac,
        senderAddress,
        targetMac: ZERO_MAC,
        targetAddress: OWN.address,
      };
      const asked = buildArp(ethernet, arp);
      const core = makeArp(OWN);
      const { verdict, reply } = receiveOne(
        core,
        Uint8Array.from([...asked, ...padding]),
      );
      assert.equal(verdict, "reply");
      assert.deepEqual(
        reply,
        buildArp(
          { ...ethernet, destination: senderMac, source: OWN.mac },
          {
            operation: 2,
            senderMac: OWN.mac,
            senderAddress: OWN.address,
            targetMac: senderMac,
            targetAddress: senderAddress,
          },
        ),
      );
      assert.deepEqual(core.counters(), { answered: 1 });
    },
  ),
);

testProperty(
  "whatever comes, nothing is thrown, and only requests for our address are answered",
  { runs: 2000, file },
  fc.property(
    fc.oneof(anyFrame(), flipped(fc.constant(request()))),
    (frame) => {
      const { verdict, reply } = receiveOne(makeArp(OWN), frame);
      if (verdict !== "reply") {
        assert.match(verdict, /^(handled|drop:[a-z0-9-]+)$/);
        return;
      }
      const header = parseEthernet(frame, 0, frame.length);
      assert.ok(typeof header === "object");
      const arp = parseArp(
        frame,
        14 + 4 * header.tags.length,
        frame.length,
      );
      assert.ok(typeof arp === "object" && arp.operation === ARP_REQUEST);
      assert.equal(arp.targetAddress, OWN.address);
      assert.equal(reply[0]! & 1, 0);
    },
  ),
);

Deno.test("what is not a request for our address is dropped for its reason", () => {
  const verdict = (change: Parameters<typeof request>[0]) =>
    receiveOne(makeArp(OWN), request(change)).verdict;
  assert.equal(verdict({ targetAddress: 0x0a4d0003 }), "drop:not-mine");
  assert.equal(verdict({ operation: 3 }), "drop:operation");
  assert.equal(verdict({ senderMac: BROADCAST }), "drop:source");
  assert.equal(verdict({ senderMac: ZERO_MAC }), "drop:source");
  assert.equal(verdict({ senderAddress: 0xe0000001 }), "drop:source");
  assert.equal(verdict({ senderAddress: 0xffffffff }), "drop:source");
  assert.equal(verdict({ senderAddress: OWN.address }), "drop:conflict");
  const whole = request();
  assert.equal(
    receiveOne(makeArp(OWN), whole.slice(0, 41)).verdict,
    "drop:truncated",
  );
  whole[13] = 0;
  assert.equal(receiveOne(makeArp(OWN), whole).verdict, "drop:not-arp");
});

Deno.test("a reply to us is seen, and not answered", () => {
  const core = makeArp(OWN);
  const { verdict } = receiveOne(core, request({ operation: 2 }));
  assert.equal(verdict, "handled");
  assert.deepEqual(core.counters(), { "reply-seen": 1 });
});
