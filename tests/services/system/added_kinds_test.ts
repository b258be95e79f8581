/**
 * A protocol and a kind of NIC that nobody else knows of: each is one object here
 * and one word in a list, and a manifest, a person's mistakes, the command line's
 * permissions and a running system have it.
 */

import { deepEqual, equal, match, ok, throws } from "node:assert/strict";
import { z } from "zod";
import {
  neededPermissions,
  permissionNamesOf,
} from "../../../cli/up/permissions.ts";
import { openEmulated } from "../../../drivers/emulated/driver.ts";
import { makeWire, type WireEnd } from "../../../drivers/emulated/wire.ts";
import type {
  ServiceDefinition,
  ServiceSettings,
} from "../../../services/core/definition.ts";
import type { ProtocolOf } from "../../../services/core/protocol.ts";
import { asked, wholeNumber } from "../../../services/fields/field.ts";
import { CORES } from "../../../services/manifest/cores.ts";
import {
  makeManifestReader,
  type Manifest,
} from "../../../services/manifest/manifest.ts";
import type { NicKind } from "../../../services/manifest/nic/kind.ts";
import { NIC_KINDS, NicTable } from "../../../services/manifest/nic/nics.ts";
import { PARTS, servicePartsOf } from "../../../services/system/boot.ts";
import {
  NIC_DRIVERS,
  type NicDriver,
} from "../../../services/system/driver/drivers.ts";
import { nicOf } from "../../../services/system/nic/named_nic.ts";
import { RunningSystem } from "../../../services/system/running.ts";
import { answerDatagrams } from "../../../services/udp/answers.ts";
import { Neighbour } from "../../simulation/neighbour.ts";

// The protocol: quote of the day (RFC 865), with one quote.

interface QuoteFields {
  readonly port: number;
  readonly text: string;
}

const answering = ({ port, text }: QuoteFields) =>
  answerDatagrams(port, () => new TextEncoder().encode(text));

const quoteService: ServiceDefinition<ServiceSettings & QuoteFields> = {
  receives: (settings) => answering(settings).receives(settings),
  sends: (settings) => answering(settings).sends(settings),
  make: (settings, ports) => answering(settings).make(settings, ports),
};

const quote: ProtocolOf<"quote", QuoteFields> = {
  name: "quote",
  fields: {
    port: wholeNumber(1, 65535).default(17),
    text: z.string(asked("a quote")),
  },
  distinctBy: ["port"],
  example: { core: "quote", text: "Less is more." },
  definition: quoteService,
};

// The kind of NIC: one end of a cable that somebody in this process holds.

interface CableChoice {
  readonly kind: "cable";
  readonly name: string;
}

interface CableOptions {
  readonly name: string;
  readonly mac: Uint8Array;
}

const cable: NicKind<CableChoice, CableOptions> = {
  kind: "cable",
  form: "cable:NAME",
  help: ["a cable of this process"],
  read: (name) =>
    name === "" ? { problem: "expected cable:NAME" } : { kind: "cable", name },
  format: ({ name }) => name,
  permissions: ({ name }) => ({ ffi: true, read: [`/dev/${name}`] }),
  options: ({ name }, { mac }) => ({ name, mac }),
  reads: ({ name }) => ({ path: `/dev/${name}`, what: "the cable's device" }),
  superPackets: true,
};

const ends = new Map<string, WireEnd>();

const cableDriver: NicDriver<CableOptions> = {
  folder: "cable",
  open: ({ name, mac }, memory) =>
    openEmulated({ name: `cable:${name}`, mac, memory, end: ends.get(name)! }),
};

// The lists, with a word more each.

const cores = [...CORES, quote];
const nics = new NicTable([...NIC_KINDS, cable]);
const drivers = { ...NIC_DRIVERS, cable: cableDriver };
const read = makeManifestReader({ cores, nics });

function written(services: unknown, more: object = {}): unknown {
  return { nic: "cable:lab", address: "10.77.0.2/24", services, ...more };
}

Deno.test("a manifest has the fields of an added protocol, and an added NIC's name", () => {
  const manifest = read(written({ fun: quote.example }));
  const { core, ...fields } = manifest.services["fun"]!;
  equal(core as string, "quote");
  deepEqual(fields, {
    port: 17,
    text: "Less is more.",
    quotaPages: 64,
    copyBytesMax: 2048,
    place: "worker",
    restart: 5,
  });
  deepEqual(manifest.nic as unknown, { kind: "cable", name: "lab" });
  equal(nics.format(manifest.nic), "cable:lab");
  equal(manifest.extents, 64, "as a NIC with super-packets has");
  equal(manifest.unclaimed, "drop", "as behind a NIC without a kernel");
});

Deno.test("what is wrong with them is said in words", () => {
  for (
    const [services, more, says] of [
      [
        { fun: { core: "quote" } },
        {},
        /^ManifestError: services\.fun\.text: expected a quote, got nothing$/,
      ],
      [
        { fun: { core: "quote", text: "a", port: 0 } },
        {},
        /: services\.fun\.port: expected a whole number from 1 to 65535, got 0$/,
      ],
      [
        { fun: { core: "quote", texts: "a", text: "b" } },
        {},
        /: services\.fun\.texts: unknown field; did you mean text\?$/,
      ],
      [
        { arp: { core: "arp", text: "a" } },
        {},
        /: services\.arp\.text: this core has no such field$/,
      ],
      [
        { a: { core: "quote", text: "a" }, b: { core: "quote", text: "b" } },
        {},
        /: services\.b\.port: expected packets .* "a" is quote on port 17 already$/,
      ],
      [
        { fun: { core: "quota" } },
        {},
        /expected "arp" or "icmp-echo" or "udp-echo" or "quote" or "module", got "quota"$/,
      ],
      [
        { arp: { core: "arp" } },
        { nic: "cable:" },
        /: nic: expected cable:NAME, got "cable:"$/,
      ],
      [
        { arp: { core: "arp" } },
        { nic: "tin-can" },
        /: nic: expected emulated, .* or cable:NAME, got "tin-can"$/,
      ],
      [
        { arp: { core: "arp" } },
        { write: "/dev/lab" },
        /: write: expected another file than the cable's device, got "\/dev\/lab"$/,
      ],
      [
        { arp: { core: "arp" } },
        { recover: true, busyPoll: 1, unclaimed: "kernel" },
        /recover: .* cable:lab is no interface .*\nbusyPoll: .* cable:lab is not polled\nunclaimed: .* behind cable:lab there is no kernel$/,
      ],
    ] as readonly (readonly [object, object, RegExp])[]
  ) {
    throws(() => read(written(services, more)), (error) => {
      match(String(error), says);
      return true;
    });
  }
});

Deno.test("the command line keeps what an added NIC needs, and its driver gets no more than that", () => {
  const services = { arp: { core: "arp" } };
  const manifest = read(written(services));
  deepEqual(permissionNamesOf(manifest.nic, nics), ["ffi", "read"]);
  deepEqual(neededPermissions(manifest, nics).sort(), ["ffi", "read"]);
  const captured = read(written(services, { write: "a.pcap" }));
  deepEqual(neededPermissions(captured, nics).sort(), ["ffi", "read", "write"]);
  const { part } = nicOf(captured, false, { nics, drivers });
  const given = { ffi: true, read: ["/dev/lab"], write: ["a.pcap"] };
  deepEqual(part.permissions, given);
  match(part.worker.href, /\/drivers\/cable\/worker\.ts$/);
});

/** Starts a system with the added kinds. */
async function started(manifest: Manifest): Promise<RunningSystem> {
  const parts = {
    ...PARTS,
    services: servicePartsOf(cores),
    nic: (manifest: Manifest, awaited?: boolean) =>
      nicOf(manifest, awaited, { nics, drivers }),
  };
  const system = new RunningSystem(manifest, parts, { confined: false });
  await system.start();
  return system;
}

Deno.test("an added protocol answers through an added NIC", async () => {
  const [near, far] = makeWire();
  ends.set("lab", near);
  const manifest = read(written({ fun: quote.example, arp: { core: "arp" } }));
  const system = await started(manifest);
  const asks = new Neighbour().datagram(17, new Uint8Array(8));
  far.send(asks, 0, asks.length);
  const arrived = Promise.withResolvers<void>();
  far.onArrival(arrived.resolve);
  await arrived.promise;
  const answer = new Uint8Array(far.peek());
  far.receive(answer, 0);
  ok(new TextDecoder().decode(answer).includes("Less is more."));
  const { nic, services } = await system.stop();
  equal(nic.name, "cable:lab");
  equal(services.find(({ name }) => name === "fun")!.counters.answered, 1);
});
