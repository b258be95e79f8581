/** The limits of requests: what is just within one is done, and one past it is refused. */

import { deepEqual, equal, match, ok } from "node:assert/strict";
import {
  CapabilityKernel,
  type CapabilityNode,
} from "../../../../caps/kernel/kernel.ts";
import { RIGHT_DERIVE, RIGHT_RECEIVE } from "../../../../caps/kernel/rights.ts";
import { TagGenerator } from "../../../../caps/kernel/tag.ts";
import { ipv4 } from "../../../../services/filter/grant/builder.ts";
import { checkGrant } from "../../../../services/filter/grant/check.ts";
import {
  CONJUNCTIONS_MAX,
  type Grant,
} from "../../../../services/filter/grant/grant.ts";
import { FilterError } from "../../../../services/filter/language/error.ts";
import {
  compileResidual,
  RESIDUAL_LENGTH_MAX,
  RESIDUAL_TESTS_MAX,
  RESIDUAL_WALKS_MAX,
} from "../../../../services/filter/residual/compile.ts";
import { Compilation } from "../../../../services/filter/service/compilation.ts";
import type { FilterRequest } from "../../../../services/filter/service/messages.ts";
import { grantAlgebra } from "../../../../services/filter/siblings/algebra.ts";
import { grant } from "../../../../services/filter/text/filter.ts";
import { CheckCache } from "../../../../services/filter/wasm/permits.ts";
import { VirtualClock } from "../../runtime/virtual_clock.ts";
import { MEMORY_PAGES } from "../wasm/wasm_harness.ts";
import { Rig } from "./service_rig.ts";

const udp = (port: number) => ipv4().udp().dstPort(port).grant;

async function turns(count = 20): Promise<void> {
  for (let i = 0; i < count; i++) await Promise.resolve();
}

/** What a port was refused. */
function refusedOf(rig: Rig, port: number): Readonly<Record<string, number>> {
  return rig.service.refusals().find((one) => one.port === port)!.refusals;
}

Deno.test("64 requests of a holder wait, and one more is refused unread", async () => {
  using rig = new Rig();
  rig.stall(true);
  const ask = (id: number) =>
    rig.raw[0]!.post({
      id,
      op: "derive",
      from: rig.root,
      grant: udp(1 + id),
      rights: RIGHT_RECEIVE,
      quotaPages: 0,
    });
  // The first is being answered, and waits for the driver.
  ask(0);
  await turns();
  for (let id = 1; id <= 64; id++) ask(id);
  await turns();
  deepEqual(refusedOf(rig, 0), {});
  ask(65);
  await turns();
  deepEqual(refusedOf(rig, 0), { flood: 1 });
  rig.stall(false);
  await turns(2000);
  equal(rig.service.describe().length, 65);
});

Deno.test("a holder is cut off at the strike 4,096, and not before", async () => {
  using rig = new Rig();
  const nonsense = { op: "nonsense" } as unknown as FilterRequest;
  for (let strike = 1; strike < 4096; strike++) {
    rig.raw[2]!.post(nonsense);
    if (strike % 32 === 0) await turns();
  }
  await turns();
  deepEqual(refusedOf(rig, 2), { malformed: 4095 });
  deepEqual(rig.cutOff, []);
  ok(!rig.raw[2]!.closed);
  rig.raw[2]!.post(nonsense);
  await turns();
  deepEqual(rig.cutOff, [2]);
  ok(rig.raw[2]!.closed);
});

Deno.test("the presenter of void tags waits 1 ms longer each time, and never more than 100", async () => {
  const clock = new VirtualClock();
  using rig = new Rig(undefined, clock);
  for (let voids = 1; voids <= 103; voids++) {
    let answered = false;
    const asked = rig.clients[1]!.end("drop", rig.root).catch(() => {
      answered = true;
    });
    await turns();
    for (let ms = 1; ms < Math.min(voids, 100); ms++) {
      clock.advance(1);
      await turns(4);
      ok(!answered, `void ${voids} was answered after ${ms} ms`);
    }
    clock.advance(1);
    await turns();
    ok(answered, `void ${voids} was not answered in time`);
    await asked;
  }
});

Deno.test("256 changes go to tables, and 257 are compiled, whether something ends or begins", () => {
  for (
    const [ends, begins] of [[256, 0], [257, 0], [128, 128], [
      129,
      128,
    ]] as const
  ) {
    const kernel = new CapabilityKernel(
      grantAlgebra,
      new TagGenerator((out) => out.fill(9)),
      { capabilitiesMax: 1000, capabilitiesKept: 0, depthMax: 2 },
    );
    const root = kernel.makeRoot(0, 0);
    const deriveAll = (from: number, to: number) => {
      const nodes: CapabilityNode<Grant>[] = [];
      for (let port = from; port <= to; port++) {
        const wanted = {
          rights: RIGHT_RECEIVE,
          quotaPages: 0,
          grant: udp(port),
        };
        const derived = kernel.derive(0, root, wanted);
        ok("node" in derived);
        nodes.push(derived.node);
      }
      return nodes;
    };
    const ended = deriveAll(1, 300).slice(0, ends);
    const target = { memoryPages: MEMORY_PAGES };
    const checks = new CheckCache();
    const compilation = new Compilation(kernel.root!, target, checks);
    const opened = deriveAll(301, 300 + begins);
    const patches = compilation.change({ ended, opened });
    equal(patches !== undefined, ends + begins <= 256);
  }
});

/** Refused with these words. */
function refusal(what: () => unknown): string {
  try {
    what();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("it was not refused");
}

Deno.test("a residual has at most 4,096 characters, 512 comparisons and 2 walks over headers", () => {
  compileResidual("ip".padEnd(RESIDUAL_LENGTH_MAX));
  match(
    refusal(() => compileResidual("ip".padEnd(RESIDUAL_LENGTH_MAX + 1))),
    /4097 characters; expected at most 4096/,
  );
  const ips = (count: number) => `ip${" or ip".repeat(count - 1)}`;
  compileResidual(ips(RESIDUAL_TESTS_MAX));
  match(
    refusal(() => compileResidual(ips(RESIDUAL_TESTS_MAX + 1))),
    /513 comparisons; expected at most 512/,
  );
  const walks = (count: number) =>
    Array.from({ length: count }, (_, n) => `ip6 protochain ${n}`).join(" or ");
  compileResidual(walks(RESIDUAL_WALKS_MAX));
  match(
    refusal(() => compileResidual(walks(RESIDUAL_WALKS_MAX + 1))),
    /in 3 places; expected at most 2/,
  );
  // A list counts with each of its numbers.
  const hosts = (count: number) =>
    "ip dst host " +
    Array.from({ length: count }, (_, n) => `10.0.${n >> 8}.${n & 255}`)
      .join(" or ");
  const short = (count: number) => hosts(count).replaceAll(" or ", "||");
  compileResidual(short(300));
  match(refusal(() => compileResidual(short(600))), /characters|comparisons/);
});

Deno.test("a grant has at most 64 conjunctions, written or as text", () => {
  const wide = (count: number) =>
    Array.from({ length: count }, (_, n) => udp(1 + n)[0]!);
  checkGrant(wide(CONJUNCTIONS_MAX));
  match(
    refusal(() => checkGrant(wide(CONJUNCTIONS_MAX + 1))),
    /65 conjunctions; expected 1 to 64/,
  );
  const text = (count: number) =>
    Array.from({ length: count }, (_, n) => `udp dst port ${1 + n}`)
      .join(" or ");
  // One for IPv4 and one for IPv6.
  equal(grant(text(32)).length, CONJUNCTIONS_MAX);
  try {
    grant(text(33));
    ok(false, "it was not refused");
  } catch (error) {
    ok(error instanceof FilterError);
    match(error.message, /64/);
  }
});

Deno.test("30,000 pairs of conjunctions are met for one text", () => {
  const ports = Array.from({ length: 30 }, (_, n) => `udp dst port ${1 + n}`);
  const text = (times: number) =>
    `(${ports.join(" or ")})${" and udp".repeat(times)}`;
  // Sixty ways to be a port, and two to be UDP, half of which come to nothing.
  grant(text(30_000 / 120));
  match(refusal(() => grant(text(30_000 / 120 + 1))), /conjunctions|parts/);
});

Deno.test("a capability at the deepest level derives nothing", async () => {
  using rig = new Rig();
  const asked = { rights: RIGHT_DERIVE, quotaPages: 0, grant: [{}] };
  let from = rig.root;
  for (let depth = 1; depth <= 8; depth++) {
    from = await rig.clients[0]!.derive({ ...asked, from });
  }
  try {
    await rig.clients[0]!.derive({ ...asked, from });
    ok(false, "it was not refused");
  } catch (error) {
    match((error as Error).message, /as far from the root as one may be/);
  }
});

Deno.test("what is no rate limit, or no lifetime, is refused with what it would be", async () => {
  using rig = new Rig();
  const asked = { from: rig.root, grant: [{}], rights: RIGHT_RECEIVE };
  const wrong = [
    [{ limit: {} }, /^limit has packetsPerSecond or bytesPerSecond or both/],
    [{ limit: { packetsPerSecond: 0 } }, /each more than 0$/],
    [{ lifetimeMs: 0 }, /^lifetimeMs is a positive number of milliseconds$/],
    [{ lifetimeMs: Infinity }, /^lifetimeMs is a positive number/],
  ] as const;
  for (const [more, words] of wrong) {
    try {
      await rig.clients[0]!.derive({ ...asked, quotaPages: 0, ...more });
      ok(false, "it was not refused");
    } catch (error) {
      match((error as Error).message, words);
    }
  }
  equal(rig.service.describe().length, 0);
});
