import {
  deepStrictEqual,
  match,
  ok,
  strictEqual,
  throws,
} from "node:assert/strict";
import fc from "fast-check";
import {
  defaultManifest,
  formatManifest,
  ManifestError,
  type ManifestInput,
  parseManifest,
} from "../../../services/manifest/manifest.ts";
import {
  interfaceAddress,
  manifestInput,
} from "../../arbitraries/manifests.ts";
import { testProperty } from "../../property.ts";
import { refusal } from "./manifest_refusal.ts";

const file = import.meta.url;

testProperty(
  "formatManifest() writes what parseManifest() reads as the same manifest, through JSON",
  { runs: 200, file },
  fc.property(manifestInput, (input) => {
    const manifest = parseManifest(input);
    const written = JSON.stringify(formatManifest(manifest));
    deepStrictEqual(parseManifest(JSON.parse(written)), manifest);
    for (const [field, value] of Object.entries(input)) {
      if (field === "services") continue;
      const again = formatManifest(manifest)[field as keyof ManifestInput];
      deepStrictEqual(again, value, field);
    }
    deepStrictEqual(structuredClone(manifest), manifest);
  }),
);

/** For each field, values that it cannot have. */
const wrong: Record<string, fc.Arbitrary<unknown>> = {
  nic: fc.constantFrom(
    "",
    "emulate",
    "xdp",
    "xdp:",
    "xdp:a name",
    "xdp:a/b",
    "xdp:..",
    "xdp:sixteen-bytes-ab",
    "packet:",
    "packet:a/b",
    "packet:sixteen-bytes-ab",
    "pcap:",
    "dpdk:0",
    "wire:",
    "wire:-a",
    "wire:Lab",
    "wire:a/b",
    "wire:" + "a".repeat(33),
    "wire:a,",
    "wire:a,peer,peer",
    "wire:a,loss",
    "wire:a,loss=",
    "wire:a,loss=1.1",
    "wire:a,loss=-1",
    "wire:a,loss=NaN",
    "wire:a,loss=0.1,loss=0.1",
    "wire:a,__proto__=1",
    "udp:",
    "udp:10.0.0.1:1",
    "udp:10.0.0.1:1,10.0.0.2:2",
    "udp:10.0.0.1:1,10.0.0.2:2,",
    "udp:10.0.0.1:1,10.0.0.2:2,key=",
    "udp:10.0.0.1:1,10.0.0.2:2,kye=a",
    "udp:10.0.0.1:1,10.0.0.2:2,key=a\0b",
    "udp:10.0.0.1:0,10.0.0.2:2,key=a",
    "udp:10.0.0.1:1,10.0.0.2:65536,key=a",
    "udp:10.0.0.1,10.0.0.2:2,key=a",
    "udp:10.0.0.256:1,10.0.0.2:2,key=a",
    "udp:localhost:1,10.0.0.2:2,key=a",
    "udp:10.0.0.1:1,10.0.0.1:1,key=a",
    "udp:10.0.0.1:1,0.0.0.0:2,key=a",
    "udp:10.0.0.1:1,224.0.0.1:2,key=a",
    "udp:10.0.0.1:1,255.255.255.255:2,key=a",
    "udp:10.0.0.1:1,[::1]:2,key=a",
    "udp:::1:1,[::2]:2,key=a",
    "udp:[::1%lo]:1,[::2]:2,key=a",
    "udp:[::1]:1,[::ffff:1.2.3.4]:2,key=a",
    "udp:[::1]:1,[ff02::1]:2,key=a",
    3,
    null,
  ),
  address: fc.constantFrom(
    "10.77.0.2",
    "10.77.0.256/24",
    "10.077.0.2/24",
    "10.77.0.2/33",
    "10.77.0.2/0",
    "10.77.0.0/24",
    "10.77.0.255/24",
    "127.0.0.1/8",
    "224.0.0.1/4",
    "250.1.1.1/8",
    "255.255.255.255/32",
    "0.1.2.3/8",
    "::1/64",
    7,
  ),
  mac: fc.constantFrom(
    "01:00:5e:00:00:01",
    "00:00:00:00:00:00",
    "02:53:0a:4d:00",
    "02-53-0a-4d-00-02",
    "x",
    2,
  ),
  unclaimed: fc.constantFrom("pass", "", 1, null),
  recover: fc.constantFrom("yes", 1, null),
  spin: fc.constantFrom(0, 1, "true", null),
  busyPoll: fc.constantFrom(0, 65536, 1.5, "64", null),
  frames: fc.constantFrom(63, 262145, 100.5, "4096", NaN, 1e300, null),
  extents: fc.constantFrom(-1, 8193, 1.5, "64", null),
  pace: fc.constantFrom("fast", 1, null),
  write: fc.constantFrom("", 1, null, "a\0b"),
  seed: fc.constantFrom(-1, 2 ** 32, 0.5, "1", null),
  services: fc.constantFrom([], 3, null, "arp", {}),
};

testProperty(
  "parseManifest() names each broken field, what was expected, and no other",
  { runs: 300, file },
  fc.property(
    manifestInput,
    fc.record(wrong, { requiredKeys: [] }).filter((broken) =>
      Object.keys(broken).length > 0
    ),
    (input, broken) => {
      const error = refusal({ ...input, ...broken });
      // An empty object of services is well-formed: it is judged only when the
      // rest is.
      const expected = Object.keys(broken).filter((field) =>
        field !== "services" || Object.keys(broken).length === 1 ||
        JSON.stringify(broken[field]) !== "{}"
      );
      deepStrictEqual(
        error.problems.map(({ path }) => path[0]).sort(),
        expected.sort(),
      );
      const lines = error.message.split("\n");
      strictEqual(lines.length, error.problems.length);
      for (const line of lines) {
        match(line, /^[a-zA-Z]+: expected .*(got|;|:) /);
      }
    },
  ),
);

testProperty(
  "parseManifest() names each broken field of a service",
  { runs: 200, file },
  fc.property(
    manifestInput,
    fc.constantFrom(
      "core",
      "port",
      "quotaPages",
      "copyBytesMax",
      "limit",
      "addresses",
    ),
    fc.constantFrom(0.5, -1, 70000000, "x", null, []),
    (input, field, value) => {
      const [name, service] = Object.entries(input.services)[0]!;
      const services = {
        ...input.services,
        [name]: { ...service, [field]: value },
      };
      deepStrictEqual(
        refusal({ ...input, services }).problems.map(({ path }) => path),
        [["services", name, field]],
      );
    },
  ),
);

testProperty(
  "parseManifest() answers any JSON value with a manifest or a ManifestError on printable lines",
  { runs: 500, file },
  fc.property(
    fc.oneof(
      fc.jsonValue(),
      fc.dictionary(
        fc.oneof(
          fc.constantFrom(...Object.keys(wrong), "__proto__"),
          fc.string({ unit: "binary" }),
        ),
        fc.jsonValue(),
      ),
    ),
    (value) => {
      try {
        parseManifest(value);
      } catch (error) {
        ok(error instanceof ManifestError, String(error));
        for (const line of error.message.split("\n")) {
          match(line, /^\P{C}+: \P{C}+$/u);
        }
        strictEqual(error.message.split("\n").length, error.problems.length);
      }
    },
  ),
);

testProperty(
  "a system that names no MAC gets a unicast, locally administered one that only its address has",
  { runs: 200, file },
  fc.property(interfaceAddress, interfaceAddress, (one, other) => {
    const [a, b] = [one, other].map((address) => defaultManifest({ address }));
    strictEqual(a!.mac.length, 6);
    strictEqual(a!.mac[0]! & 3, 2);
    const sameMac = a!.mac.join() === b!.mac.join();
    strictEqual(sameMac, a!.address.address === b!.address.address);
  }),
);

Deno.test("parseManifest() reads the address as a number and keeps its text", () => {
  deepStrictEqual(defaultManifest({ address: "192.168.1.9/31" }).address, {
    address: 0xc0a80109,
    prefixBits: 31,
    text: "192.168.1.9/31",
  });
});

Deno.test("parseManifest() gives unclaimed packets to the kernel only where there is one", () => {
  strictEqual(defaultManifest().unclaimed, "drop");
  strictEqual(defaultManifest({ nic: "pcap:a" }).unclaimed, "drop");
  strictEqual(defaultManifest({ nic: "xdp:veth0" }).unclaimed, "kernel");
  strictEqual(defaultManifest({ nic: "packet:veth0" }).unclaimed, "kernel");
  const error = refusal({
    ...formatManifest(defaultManifest()),
    unclaimed: "kernel",
  });
  match(error.message, /^unclaimed: expected "drop"/);
  const packet = refusal({
    ...formatManifest(defaultManifest({ nic: "packet:veth0" })),
    unclaimed: "drop",
  });
  match(packet.message, /^unclaimed: expected "kernel".*xdp:veth0/);
});

Deno.test("parseManifest() says which field was meant by an unknown one", () => {
  const input = formatManifest(defaultManifest());
  strictEqual(
    refusal({ ...input, adress: "10.0.0.1/8" }).message,
    "adress: unknown field; did you mean address?",
  );
  match(
    refusal({ ...input, x: 1 }).message,
    /^x: unknown field; the fields are nic, address, /,
  );
  const services = { echo: { core: "icmp-echo", quotaPage: 3, port: 9 } };
  strictEqual(
    refusal({ ...input, services }).message,
    "services.echo.quotaPage: unknown field; did you mean quotaPages?\n" +
      "services.echo.port: this core has no such field",
  );
});

Deno.test("parseManifest() refuses to write over the capture that it replays, or its key", () => {
  for (
    const nic of [
      "pcap:trace.pcap",
      "udp:10.0.0.1:4789,10.0.0.2:4789,key=trace.pcap",
    ]
  ) {
    match(
      refusal({
        ...formatManifest(defaultManifest()),
        nic,
        write: "trace.pcap",
      }).message,
      /^write: expected another file/,
    );
  }
});

Deno.test("parseManifest() has only an interface waited for or polled busily, and writes both as it read them", () => {
  const xdp = defaultManifest({
    nic: "xdp:veth0",
    recover: true,
    busyPoll: 64,
  });
  strictEqual(xdp.recover, true);
  strictEqual(xdp.busyPoll, 64);
  deepStrictEqual(parseManifest(formatManifest(xdp)), xdp);
  strictEqual(defaultManifest({ recover: false }).recover, false);
  throws(
    () => defaultManifest({ recover: true }),
    /recover: expected false: emulated is no/,
  );
  throws(
    () => defaultManifest({ busyPoll: 1 }),
    /busyPoll: expected nothing: emulated/,
  );
  throws(
    () => defaultManifest({ nic: "xdp:a", recover: true, write: "a.pcap" }),
    /recover: expected false: a capture that is written would begin again/,
  );
});
