/** Names of NICs: what is no name of an interface is refused with why, and never reaches the kernel. */

import { deepStrictEqual, equal, match, ok } from "node:assert/strict";
import fc from "fast-check";
import type { NicKind } from "../../../../services/manifest/nic/kind.ts";
import {
  NIC_KINDS,
  type NicChoice,
  NICS,
} from "../../../../services/manifest/nic/nics.ts";
import { NIC_DRIVERS } from "../../../../services/system/driver/drivers.ts";
import { testProperty } from "../../../property.ts";

const INTERFACES = ["xdp", "packet", "tap", "tun"] as const;

const REFUSED: readonly (readonly [name: string, why: RegExp])[] = [
  ["", /name is missing$/],
  ["../x", /no spaces, slashes, colons or control characters$/],
  ["a/b", /slashes/],
  ["a:b", /colons/],
  ["a b", /spaces/],
  ["\u00a0x", /spaces/],
  ["a\tb", /control characters/],
  ["a\x1b[2J", /control characters/],
  ["a\0", /control characters/],
  ["\u200b", /control characters/],
  [".", /no interface can be named "\."/],
  ["..", /no interface can be named "\.\."/],
  ["0123456789abcdef", /at most 15 bytes$/],
  ["éééééééé", /at most 15 bytes$/],
];

/** What the kernel would make something else of, or nothing, where the interface is new. */
const REFUSED_NEW: readonly (readonly [name: string, why: RegExp])[] = [
  ["sp%d", /percent sign$/],
  ["%", /percent sign$/],
  ["all", /no interface named "all"$/],
  ["default", /no interface named "default"$/],
];

for (const kind of INTERFACES) {
  Deno.test(`${kind}: odd names are refused with what is wrong with them`, () => {
    const isNew = kind === "tap" || kind === "tun";
    for (const [name, why] of [...REFUSED, ...(isNew ? REFUSED_NEW : [])]) {
      const read = NICS.read(`${kind}:${name}`);
      ok("problem" in read, JSON.stringify(name));
      match(read.problem, new RegExp(`^expected ${kind}:\\w+; `));
      match(read.problem, why);
    }
    ok("problem" in NICS.read(kind));
  });
}

for (const kind of ["tap", "tun"] as const) {
  Deno.test(`${kind}: has the queues that are asked for, up to as many as Linux has`, () => {
    for (const queues of [1, 4, 256]) {
      const text = `${kind}:sp0,queues=${queues}`;
      const nic = NICS.read(text);
      deepStrictEqual(nic, { kind, interfaceName: "sp0", queues });
      deepStrictEqual(NICS.format(nic as NicChoice), text);
    }
    for (const queues of ["", "0", "257", "1000", "-1", "1.5", "2,", " 2"]) {
      const read = NICS.read(`${kind}:sp0,queues=${queues}`);
      ok("problem" in read, queues);
      match(read.problem, /; there are 1 to 256 queues$/);
    }
  });
}

testProperty(
  "what is read as an interface's name is one to Linux, and is written as it was read",
  { runs: 500, file: import.meta.url },
  fc.property(
    fc.constantFrom(...INTERFACES),
    fc.oneof(
      fc.string({ maxLength: 17 }),
      fc.string({ unit: "binary", maxLength: 8 }),
      fc.stringMatching(/^[a-z0-9.%:\/ -]{0,17}$/),
    ),
    (kind, name) => {
      const nic = NICS.read(`${kind}:${name}`);
      if ("problem" in nic) return;
      deepStrictEqual(nic, { kind, interfaceName: name });
      deepStrictEqual(NICS.format(nic), `${kind}:${name}`);
      const bytes = new TextEncoder().encode(name);
      ok(bytes.length >= 1 && bytes.length <= 15);
      // dev_valid_name() in net/core/dev.c: no slash, colon or isspace().
      ok(!bytes.some((byte) => [0x2f, 0x3a, 0x20].includes(byte) || byte < 32));
    },
  ),
);

/** A name of each kind. */
const NAMES: Readonly<Record<NicChoice["kind"], string>> = {
  emulated: "emulated",
  wire: "wire:lab,peer,loss=0.5",
  xdp: "xdp:eth1",
  packet: "packet:eth1",
  tap: "tap:sp0,queues=4",
  tun: "tun:sp0",
  pcap: "pcap:a:b,c.pcap",
  udp: "udp:10.0.0.1:4789,10.0.0.2:4789,key=k",
};

for (const kind of NIC_KINDS as readonly NicKind[]) {
  Deno.test(`${kind.kind}: is read by its name and written so again, and has help and a driver`, () => {
    const name = NAMES[kind.kind as NicChoice["kind"]];
    const nic = NICS.read(name);
    ok(!("problem" in nic), name);
    equal(nic.kind, kind.kind);
    equal(NICS.format(nic), name);
    equal(NICS.kindOf(nic), kind);
    match(kind.form, new RegExp(`^${kind.kind}($|:)`));
    ok(kind.help.length > 1 && kind.help.every((line) => line.length <= 65));
    match(kind.help.at(-1)!, /^sallyport up /);
    const { folder } = NIC_DRIVERS[nic.kind];
    const worker = `../../../../drivers/${folder}/worker.ts`;
    ok(Deno.statSync(new URL(worker, import.meta.url)).isFile);
  });
}

Deno.test("a NIC that is alone of its kind has no colon, and what is no kind is told all forms", () => {
  for (const name of ["emulated:", "emulated:x", "", ":", "eth0", "XDP:eth0"]) {
    const read = NICS.read(name);
    deepStrictEqual(read, {
      problem:
        "expected emulated, wire:NAME, xdp:IFNAME, packet:IFNAME, tap:NAME, tun:NAME, pcap:FILE or udp:LOCAL,PEER,key=FILE",
    }, name);
  }
  for (const name of ["__proto__", "constructor", "toString:x"]) {
    ok("problem" in NICS.read(name), name);
  }
});
