/**
 * Frames as large as the wire takes: none of them, and no answer to one, costs an
 * honest service anything, however many come. 4,096 refusals would end a service.
 */

import assert from "node:assert/strict";
import { delay } from "@std/async/delay";
import { DEFAULT_MANIFEST } from "../../services/manifest/manifest.ts";
import { ethernet } from "../../services/filter/grant/builder.ts";
import { End } from "../drivers/packet/end.ts";
import { testWith } from "../needs.ts";
import {
  INTERFACE,
  makeNamespacePair,
  type Namespace,
  NETNS_NEEDS,
} from "../netns.ts";
import { snapshotIn, type UpProcess, upWithManifest } from "./up_process.ts";

const NEEDS = [...NETNS_NEEDS, "tool:ping"] as const;

/** Pings, more of them than an offender may have refused. */
const PINGS = 4400;
const STRIKES_MAX = 4096;

/** Bytes of a frame of the default MTU with a tag. */
const TAGGED_BYTES = 1518;

/** Requests that are under way at once. */
const BURST = 16;

/** Bytes of the IPv4 and the ICMP header. */
const HEADERS_BYTES = 28;

/** A system whose services are in a VLAN, or in none, until the test ends. */
function startSystem(
  space: Namespace,
  { nic, address, vlan }: {
    readonly nic: string;
    readonly address: string;
    readonly vlan?: number;
  },
): UpProcess & AsyncDisposable {
  const services = Object.fromEntries(
    ["arp", "icmp-echo"].map((
      core,
    ) => [core, { core, ...(vlan === undefined ? {} : { vlan }) }]),
  );
  const manifest = { ...DEFAULT_MANIFEST, nic, address, services };
  return upWithManifest(manifest, { space });
}

/** Waits until the address answers. */
async function answers(space: Namespace, address: string): Promise<void> {
  for (let tries = 0; tries < 60; tries++) {
    const { code } = await space.try("ping", "-c", "1", "-W", "1", address);
    if (code === 0) return;
    await delay(50);
  }
  assert.fail(`${address} does not answer`);
}

/** Sends pings of the whole MTU, none of which may be cut up; how many came back. */
async function floodOf(
  space: Namespace,
  address: string,
  mtu: number,
): Promise<number> {
  const bytes = mtu - HEADERS_BYTES;
  const words = `ping -n -q -f -M do -c ${PINGS} -s ${bytes} ${address}`;
  const said = await space.run(...words.split(" "));
  return Number(/, (\d+) received/.exec(said)![1]);
}

/** Ends a system, in which all pings were answered and nothing was refused. */
async function endOf(process: UpProcess, received: number): Promise<void> {
  assert.ok(received > STRIKES_MAX, `${received} of ${PINGS} came back`);
  const result = await process.interrupt();
  assert.equal(result.err, "");
  assert.equal(result.code, 0);
  const { services } = snapshotIn(result);
  const ping = services.find(({ name }) => name === "icmp-echo")!;
  assert.equal(ping.state, "running");
  assert.ok(ping.counters["echoed"]! >= received);
  assert.deepEqual(ping.refusals, {});
}

/** An echo request with a tag, of the system's own address; this and its answer have 1,518 bytes. */
function taggedRequest(vlan: number): Uint8Array {
  const frame = new Uint8Array(TAGGED_BYTES);
  const ip = [0x45, 0, 0x05, 0xdc, 0, 1, 0, 0, 64, 1];
  const addresses = [10, 78, 0, 1, 10, 78, 0, 2];
  frame.set([2, 0x53, 10, 78, 0, 2, 2, 0, 0, 0, 0, 1, 0x81, 0, 0, vlan, 8, 0]);
  frame.set([...ip, ...checksumOf([...ip, 0, 0, ...addresses])], 18);
  frame.set([...addresses, 8, 0, ...checksumOf([8, 0])], 30);
  return frame;
}

/** The Internet checksum (RFC 1071). */
function checksumOf(bytes: readonly number[]): [number, number] {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) {
    sum += bytes[at]! << 8 | bytes[at + 1]!;
  }
  sum = ~((sum & 0xffff) + (sum >>> 16)) & 0xffff;
  return [sum >>> 8, sum & 0xff];
}

// VLAN 0 is none: that of a service without one.
for (const vlan of [7, 0]) {
  testWith(
    NEEDS,
    `xdp: full frames with a tag of VLAN ${vlan}, 1,518 bytes at the default MTU, are answered in place, and cost the service nothing`,
    async () => {
      await using pair = await makeNamespacePair();
      const { left, right } = pair;
      await using process = startSystem(right, {
        nic: `xdp:${INTERFACE}`,
        address: "10.78.0.2/24",
        ...(vlan === 0 ? {} : { vlan }),
      });
      using end = new End(left.name, ethernet().vlan(vlan).grant);
      const request = taggedRequest(vlan);
      let received = 0;
      // The first ones may come before the system runs.
      for (let tries = 0; received === 0; tries++) {
        assert.ok(tries < 60, "nothing is answered");
        end.send(request, 0);
        received += (await end.take(1)).length;
      }
      for (let sent = 0; sent < PINGS; sent += BURST) {
        for (let one = 0; one < BURST; one++) end.send(request, 0);
        const answers = await end.take(BURST);
        received += answers.length;
        for (const { bytes } of answers) {
          assert.equal(bytes.length, TAGGED_BYTES);
        }
      }
      await endOf(process, received);
    },
  );
}

testWith(
  NEEDS,
  "xdp: frames of an MTU that was raised while the system runs are answered, and cost the service nothing",
  async () => {
    await using pair = await makeNamespacePair();
    const { left, right } = pair;
    const address = "10.77.0.2";
    const nic = `xdp:${INTERFACE}`;
    await using process = startSystem(right, { nic, address: `${address}/24` });
    await answers(left, address);
    for (const space of [left, right]) {
      await space.run("ip", "link", "set", INTERFACE, "mtu", "3000");
    }
    await endOf(process, await floodOf(left, address, 3000));
  },
);

testWith(
  NEEDS,
  "tap: frames of an MTU of 9,000 are answered, and cost the service nothing",
  async () => {
    await using pair = await makeNamespacePair();
    const { right } = pair;
    const address = "10.77.9.2";
    await using process = startSystem(right, {
      nic: "tap:sp0",
      address: `${address}/24`,
    });
    for (let tries = 0;; tries++) {
      const { code } = await right.try(
        "ip",
        "link",
        "show",
        "dev",
        "sp0",
        "up",
      );
      if (code === 0) break;
      assert.ok(tries < 200, "sp0 does not come up");
      await delay(50);
    }
    await right.run(..."ip link set sp0 mtu 9000".split(" "));
    await right.run(..."ip address add 10.77.9.1/24 dev sp0".split(" "));
    await answers(right, address);
    await endOf(process, await floodOf(right, address, 9000));
  },
);
