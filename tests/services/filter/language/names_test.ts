import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { compileText } from "../../../../services/filter/language/compile.ts";
import {
  constantNames,
  constantOf,
} from "../../../../services/filter/language/keywords.ts";
import {
  etherProtocolNames,
  etherProtocolOf,
  ipProtocolNames,
  ipProtocolOf,
  portNames,
  portOf,
} from "../../../../services/filter/language/names.ts";
import { testWith } from "../../../needs.ts";
import { DLT, LIBPCAP, Libpcap } from "../../../oracles/libpcap.ts";

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
    for (const name of portNames()) {
      const theirs = instructions(libpcap, `port \\${name}`);
      if (theirs === undefined) continue;
      known++;
      const { port, protocol } = portOf(name)!;
      const numbered = `${protocol ?? ""} port ${port}`;
      strictEqual(theirs, instructions(libpcap, numbered), name);
    }
    // A machine without /etc/services knows none.
    console.log(`${known} of ${portNames().length} names are known here`);
  },
);

testWith(
  [`library:${LIBPCAP}`],
  "protocols have the numbers that libpcap has for their names",
  () => {
    using libpcap = new Libpcap();
    for (const name of etherProtocolNames()) {
      strictEqual(
        instructions(libpcap, `ether proto \\${name}`),
        instructions(libpcap, `ether proto ${etherProtocolOf(name)}`),
        name,
      );
    }
    for (const name of ipProtocolNames()) {
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
    ok(constantNames().length > 50);
    for (const name of constantNames()) {
      strictEqual(
        instructions(libpcap, `len = ${name}`),
        instructions(libpcap, `len = ${constantOf(name)}`),
        name,
      );
    }
  },
);

Deno.test("each port's name compiles to what its number compiles to", () => {
  for (const name of portNames()) {
    const { port, protocol } = portOf(name)!;
    deepStrictEqual(
      compileText(`port \\${name}`, { linkType: "raw" }),
      compileText(`${protocol ?? ""} port ${port}`, { linkType: "raw" }),
    );
  }
});
