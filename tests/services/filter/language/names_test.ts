import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { compileText } from "../../../../services/filter/language/compile.ts";
import {
  constantOf,
  CONSTANTS,
} from "../../../../services/filter/language/keywords.ts";
import {
  ETHER_PROTOCOLS,
  etherProtocolOf,
  ipProtocolOf,
  portOf,
} from "../../../../services/filter/language/names.ts";
import {
  IP_PROTOCOLS,
  PORTS,
  TCP_PORTS,
  UDP_PORTS,
} from "../../../../services/filter/language/name_tables.ts";
import { testWith } from "../../../needs.ts";
import { DLT, LIBPCAP, Libpcap } from "../../../oracles/libpcap.ts";

/** The names in a table of `name=number`. */
function namesIn(table: string): string[] {
  return table.trim().split(/\s+/).map((entry) =>
    entry.slice(0, entry.lastIndexOf("="))
  );
}

const PORT_NAMES = [PORTS, TCP_PORTS, UDP_PORTS].flatMap(namesIn);

Deno.test("portOf() knows which protocols a name is of", () => {
  deepStrictEqual(portOf("domain"), { port: 53, protocol: undefined });
  deepStrictEqual(portOf("http"), { port: 80, protocol: "tcp" });
  deepStrictEqual(portOf("tftp"), { port: 69, protocol: "udp" });
  strictEqual(portOf("HTTP"), undefined);
  strictEqual(portOf("constructor"), undefined);
});

Deno.test("protocols are known by their other spellings too", () => {
  strictEqual(ipProtocolOf("tcp"), 6);
  strictEqual(ipProtocolOf("OSPFIGP"), 89);
  strictEqual(etherProtocolOf("arp"), 0x0806);
});

/** A program's instructions, or undefined where libpcap refuses the text. */
function instructions(libpcap: Libpcap, text: string): string | undefined {
  try {
    using filter = libpcap.compile(text, DLT.ethernet, { optimise: false });
    return JSON.stringify(filter.instructions);
  } catch {
    return undefined;
  }
}

testWith(
  [`library:${LIBPCAP}`],
  "portOf() says of each name that this machine knows what libpcap says of it",
  () => {
    using libpcap = new Libpcap();
    let known = 0;
    for (const name of PORT_NAMES) {
      const theirs = instructions(libpcap, `port \\${name}`);
      if (theirs === undefined) continue;
      known++;
      const { port, protocol } = portOf(name)!;
      const numbered = `${protocol ?? ""} port ${port}`;
      strictEqual(theirs, instructions(libpcap, numbered), name);
    }
    // A machine without /etc/services knows none.
    console.log(`${known} of ${PORT_NAMES.length} names are known here`);
  },
);

testWith(
  [`library:${LIBPCAP}`],
  "protocols have the numbers that libpcap has for their names",
  () => {
    using libpcap = new Libpcap();
    for (const name of ETHER_PROTOCOLS.keys()) {
      strictEqual(
        instructions(libpcap, `ether proto \\${name}`),
        instructions(libpcap, `ether proto ${etherProtocolOf(name)}`),
        name,
      );
    }
    for (const name of namesIn(IP_PROTOCOLS)) {
      const theirs = instructions(libpcap, `ip proto \\${name}`);
      if (theirs === undefined) continue;
      const number = ipProtocolOf(name);
      strictEqual(theirs, instructions(libpcap, `ip proto ${number}`), name);
    }
  },
);

testWith(
  [`library:${LIBPCAP}`],
  "every constant has libpcap's value",
  () => {
    using libpcap = new Libpcap();
    ok(CONSTANTS.size > 50);
    for (const name of CONSTANTS.keys()) {
      strictEqual(
        instructions(libpcap, `len = ${name}`),
        instructions(libpcap, `len = ${constantOf(name)}`),
        name,
      );
    }
  },
);

Deno.test("each port's name compiles to what its number compiles to", () => {
  for (const name of PORT_NAMES) {
    const { port, protocol } = portOf(name)!;
    deepStrictEqual(
      compileText(`port \\${name}`, { linkType: "raw" }),
      compileText(`${protocol ?? ""} port ${port}`, { linkType: "raw" }),
    );
  }
});
