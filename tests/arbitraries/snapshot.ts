/** Snapshots of systems that no system need ever have shown. */

import fc from "fast-check";
import type {
  CapabilitySnapshot,
  Counts,
  ServiceSnapshot,
  SystemSnapshot,
} from "../../services/system/snapshot.ts";

const count = fc.oneof(fc.nat(20), fc.nat(2 ** 31 - 1), fc.maxSafeNat());

/** Text as a hostile service might choose it. */
export const wildText: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom("no-page", "\x1b[2J", "表示", "a\nb", "\u202eabc", "👩‍👩‍👧"),
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.string({ maxLength: 100 }),
);

const counts: fc.Arbitrary<Counts> = fc.dictionary(
  fc.oneof(
    fc.constantFrom("no-page", "revoked", "drop:checksum", "echoed"),
    fc.stringMatching(/^[a-z-]{1,20}$/),
  ),
  fc.nat(1_000_000),
  { maxKeys: 12, noNullPrototype: true },
);

const capability: fc.Arbitrary<CapabilitySnapshot> = fc.record({
  label: fc.oneof(fc.constantFrom("arp#1", "udp-echo#2"), wildText),
  filter: wildText,
  quotaPages: fc.nat(262144),
  heldPages: fc.nat(262144),
  deliveredPackets: count,
  deliveredBytes: count,
  sentPackets: count,
  sentBytes: count,
  drops: counts,
});

const service: fc.Arbitrary<ServiceSnapshot> = fc.record({
  name: fc.stringMatching(/^[a-z0-9-]{1,32}$/),
  state: fc.constantFrom(
    "starting",
    "running",
    "restarting",
    "failed",
    "stopped",
  ),
  place: fc.constantFrom("here", "worker", "driver"),
  restarts: fc.nat(1000),
  failure: wildText,
  capabilities: fc.array(capability, { maxLength: 4 }),
  counters: counts,
  refusals: counts,
  ports: fc.array(
    fc.record({
      side: fc.constantFrom("ask", "answer"),
      name: wildText,
      peers: fc.array(wildText, { maxLength: 2 }),
      counters: counts,
    }),
    { maxLength: 3 },
  ),
  interposers: fc.array(
    fc.record({ name: wildText, counters: counts }),
    { maxLength: 3 },
  ),
}, {
  requiredKeys: [
    "name",
    "state",
    "place",
    "restarts",
    "capabilities",
    "counters",
    "refusals",
  ],
});

/** Any snapshot. */
export const systemSnapshot: fc.Arbitrary<SystemSnapshot> = fc.record({
  uptimeMs: fc.nat(1e9),
  nic: fc.record({
    name: wildText,
    mode: wildText,
    mac: fc.constant("02:53:0a:4d:00:02"),
    address: fc.constant("10.77.0.2/24"),
    state: fc.constantFrom("running", "restarting", "failed"),
    restarts: fc.nat(1000),
    failure: wildText,
    ended: fc.boolean(),
    receivedPackets: count,
    receivedBytes: count,
    sentPackets: count,
    sentBytes: count,
    counters: counts,
  }, {
    requiredKeys: [
      "name",
      "mode",
      "mac",
      "address",
      "state",
      "restarts",
      "ended",
      "receivedPackets",
      "receivedBytes",
      "sentPackets",
      "sentBytes",
      "counters",
    ],
  }),
  unclaimedPackets: count,
  pages: fc.record({
    total: count,
    free: count,
    lent: count,
    inFlight: count,
    quarantined: count,
  }),
  services: fc.array(service, { maxLength: 6 }),
  peer: counts,
}, {
  requiredKeys: ["uptimeMs", "nic", "unclaimedPackets", "pages", "services"],
});
