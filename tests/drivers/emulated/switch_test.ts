/** A switch: each frame once to whom it is for, learned from who sent. */

import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import { makePacketMemory } from "../../../caps/memory/memory.ts";
import { openEmulated } from "../../../drivers/emulated/driver.ts";
import {
  nicsOnWire,
  plugIntoWire,
} from "../../../drivers/emulated/named_wire.ts";
import { openPortEnd } from "../../../drivers/emulated/port_end.ts";
import { PORTS_MAX, Switch } from "../../../drivers/emulated/switch.ts";
import { makeWire, type WireEnd } from "../../../drivers/emulated/wire.ts";
import { testDriver } from "../../conformance/driver.ts";
import { testProperty } from "../../property.ts";
import { collectFrom, farSide, MAC } from "./rig.ts";

testDriver("wire", () => {
  const memory = makePacketMemory(64);
  const wire = new Switch();
  const [near, port] = makeWire();
  const [far, farPort] = makeWire();
  wire.plug(port);
  wire.plug(farPort);
  const driver = openEmulated({ memory, end: near, mac: MAC, ringFrames: 16 });
  return {
    driver,
    memory,
    ...farSide(far),
    [Symbol.asyncDispose]: () => {
      driver[Symbol.dispose]();
      far[Symbol.dispose]();
      return Promise.resolve();
    },
  };
}, { file: import.meta.url });

/** A switch with `count` hosts on it, and a clock. */
function lan(count: number, addressesMax = 1024) {
  const clock = { nowMs: 0 };
  const wire = new Switch({ nowMs: () => clock.nowMs, addressesMax });
  const hosts: WireEnd[] = Array.from({ length: count }, () => {
    const [host, port] = makeWire();
    wire.plug(port);
    return host;
  });
  return { wire, hosts, clock };
}

const BROADCAST = 0xff;

/** A frame from address `source` to `destination`: the last bytes of unicast ones, or all of a group's. */
function frameOf(destination: number, source: number, id = 0): Uint8Array {
  const frame = new Uint8Array(60);
  if (destination === BROADCAST) frame.fill(0xff, 0, 6);
  else frame.set([2, 0, 0, 0, 0, destination]);
  frame.set([2, 0, 0, 0, 0, source], 6);
  frame[20] = id;
  return frame;
}

/** Has host `from` send, and gives what each host got, by the frames' ids. */
function pass(
  { wire, hosts }: ReturnType<typeof lan>,
  from: number,
  ...frames: Uint8Array[]
): number[][] {
  for (const frame of frames) hosts[from]!.send(frame, 0, frame.length);
  while (wire.turn());
  return hosts.map((host) => collectFrom(host).map((frame) => frame[20]!));
}

testProperty(
  "any frames between hosts that stay where they are come to whom they are for, once, and in order",
  { runs: 100, file: import.meta.url },
  fc.property(
    fc.array(
      fc.tuple(
        fc.nat({ max: 3 }),
        fc.constantFrom(0, 1, 2, 3, BROADCAST),
      ),
      { maxLength: 60 },
    ),
    fc.constantFrom(1, 2, 1024),
    (sendings, addressesMax) => {
      const net = lan(4, addressesMax);
      const heard = new Map<number, true>();
      for (const [id, [from, to]] of sendings.entries()) {
        const got = pass(net, from, frameOf(to, from, id));
        heard.delete(from);
        heard.set(from, true);
        while (heard.size > addressesMax) heard.delete([...heard.keys()][0]!);
        const known = to !== BROADCAST && heard.has(to);
        for (const [host, ids] of got.entries()) {
          const wanted = host !== from && (!known || host === to);
          deepStrictEqual(ids, wanted ? [id] : [], `${from} to ${to}`);
        }
      }
    },
  ),
);

Deno.test("an address that moves is followed, one that is silent for five minutes is forgotten", () => {
  const net = lan(3);
  pass(net, 0, frameOf(BROADCAST, 9));
  deepStrictEqual(pass(net, 1, frameOf(9, 8, 1)), [[1], [], []]);
  pass(net, 2, frameOf(BROADCAST, 9)); // it has moved
  deepStrictEqual(pass(net, 1, frameOf(9, 8, 2)), [[], [], [2]]);
  net.clock.nowMs = 299_999;
  deepStrictEqual(pass(net, 1, frameOf(9, 8, 3)), [[], [], [3]]);
  net.clock.nowMs = 300_000;
  deepStrictEqual(pass(net, 1, frameOf(9, 8, 4)), [[4], [], [4]]);
});

Deno.test("frames without an Ethernet header go nowhere, and a group's source teaches nothing", () => {
  const net = lan(2);
  deepStrictEqual(pass(net, 0, new Uint8Array(13)), [[], []]);
  strictEqual(net.wire.counters()["too-short"], 1);
  const odd = frameOf(1, 0);
  odd[6] = 3;
  pass(net, 0, odd);
  strictEqual(net.wire.counters()["addresses"], 0);
});

Deno.test("ever new addresses from one host take no more than the table has room for", () => {
  const net = lan(2, 100);
  for (let i = 0; i < 5000; i++) {
    const frame = frameOf(BROADCAST, i & 255);
    frame[10] = i >> 8;
    pass(net, 0, frame);
  }
  strictEqual(net.wire.counters()["addresses"], 100);
});

Deno.test("a port that does not read loses its own frames only, and one that floods has no more turns than others", () => {
  const net = lan(3);
  for (let i = 0; i < 1000; i++) {
    net.hosts[0]!.send(frameOf(BROADCAST, 0), 0, 60);
  }
  net.hosts[1]!.send(frameOf(2, 1, 7), 0, 60);
  net.wire.turn();
  ok(collectFrom(net.hosts[2]!).some((frame) => frame[20] === 7));
});

Deno.test("a link that goes down leaves the switch, after what it sent last", () => {
  const net = lan(3);
  net.hosts[0]!.send(frameOf(BROADCAST, 0, 5), 0, 60);
  net.hosts[0]![Symbol.dispose]();
  deepStrictEqual(pass(net, 1), [[], [5], [5]]);
  strictEqual(net.wire.portCount, 2);
  deepStrictEqual(pass(net, 1, frameOf(0, 1, 6)), [[], [], [6]]);
});

Deno.test("a named wire is there from its first NIC to its last, with at most 64", async () => {
  strictEqual(nicsOnWire("full"), 0);
  {
    using cables = new DisposableStack();
    for (let i = 0; i < PORTS_MAX; i++) {
      cables.use(plugIntoWire("full")).link.close();
    }
    strictEqual(nicsOnWire("full"), PORTS_MAX);
    throws(
      () => plugIntoWire("full"),
      /^Error: wire:full: .*all of its 64 ports are taken$/,
    );
  }
  strictEqual(nicsOnWire("full"), 0);
  using a = plugIntoWire("two");
  using b = plugIntoWire("two");
  using other = plugIntoWire("other");
  const ends = [a, b, other].map(({ link }) => openPortEnd(link));
  ends[0]!.send(frameOf(BROADCAST, 1, 3), 0, 60);
  await new Promise<void>((resolve) => ends[1]!.onArrival(resolve));
  strictEqual(collectFrom(ends[1]!)[0]![20], 3);
  strictEqual(ends[2]!.peek(), 0);
  for (const end of ends) end[Symbol.dispose]();
});
