import { deepEqual, equal, throws } from "node:assert/strict";
import * as offload from "../../../caps/port/offload.ts";
import * as builder from "../../../services/filter/grant/builder.ts";
import { grant } from "../../../services/filter/grant/text/grant_text.ts";
import { Responder } from "../../../services/core/responder.ts";
import { Ipv4Endpoint } from "../../../services/ip/ipv4_endpoint.ts";
import * as fields from "../../../services/ports/fields.ts";
import { portInterface } from "../../../services/ports/interface.ts";
import { definitionOf } from "../../../services/loader/factory.ts";
import { type ServiceKit, serviceKit } from "../../../services/loader/kit.ts";
import { ModuleError } from "../../../services/loader/module_error.ts";
import { NEVER } from "../../../services/runtime/clock.ts";
import { answerDatagrams } from "../../../services/udp/answers.ts";
import * as wire from "../../../services/wire/mod.ts";

const WHOLE = { receives: () => [], sends: () => [], make: () => {} };

Deno.test("a module's function is given the kit, and what it makes is the service", () => {
  let given: ServiceKit | undefined;
  const made = definitionOf((kit: ServiceKit) => {
    given = kit;
    return WHOLE;
  }, serviceKit);
  equal(made as unknown, WHOLE);
  equal(given, serviceKit);
});

Deno.test("what is no function, or makes no service, is refused with what is missing", () => {
  for (const odd of [undefined, null, 1, "x", {}, WHOLE]) {
    throws(() => definitionOf(odd, serviceKit), {
      name: "TypeError",
      message: new RegExp(`^the module's default export is a ${typeof odd}; `),
    });
  }
  for (const missing of ["receives", "sends", "make"]) {
    for (const instead of [undefined, null, {}, "f"]) {
      const made = { ...WHOLE, [missing]: instead };
      throws(() => definitionOf(() => made, serviceKit), {
        name: "TypeError",
        message: new RegExp(`^the service has no function "${missing}"; `),
      });
    }
  }
  for (const made of [undefined, null, 7, []]) {
    throws(
      () => definitionOf(() => made, serviceKit),
      /has no function "receives"/,
    );
  }
});

Deno.test("the kit is what services are built with, and nothing more, and cannot be changed", () => {
  const { arp, either, ethernet, ipv4, ipv6, vlan } = builder;
  deepEqual(serviceKit, {
    wire: { ...wire },
    filter: { arp, either, ethernet, grant, ipv4, ipv6, vlan },
    services: { answerDatagrams },
    ports: { fields: { ...fields }, portInterface },
    core: { Ipv4Endpoint, NEVER, offload: { ...offload }, Responder },
  });
  const { fields: kinds } = serviceKit.ports;
  for (const part of [serviceKit, ...Object.values(serviceKit), kinds]) {
    equal(Object.isFrozen(part), true);
  }
});

Deno.test("an error shows ten problems, each in its line, or the one message", () => {
  const problems = (count: number) =>
    Array.from({ length: count }, (_, i) => ({
      ...{ line: i + 1, column: 2, message: `no ${i}` },
    }));
  for (const count of [1, 10, 11]) {
    const error = new ModuleError("a.ts", problems(count));
    equal(error.name, "ModuleError");
    equal(error.problems.length, count);
    const lines = error.message.split("\n");
    deepEqual(lines.slice(0, 10), [
      ...problems(Math.min(count, 10)).map(({ line, message }) =>
        `a.ts:${line}:2: ${message}`
      ),
    ]);
    deepEqual(lines.slice(10), count === 11 ? ["a.ts: and 1 more"] : []);
  }
  equal(new ModuleError("a.ts", [], "it is odd").message, "a.ts: it is odd");
});
