/** Tags are told to their holders, and are nowhere else to be read. */

import { delay } from "@std/async/delay";
import assert from "node:assert/strict";
import { inspect } from "node:util";
import { type Tag, TagGenerator } from "../../caps/kernel/tag.ts";
import { RIGHT_DELEGATE, RIGHT_RECEIVE } from "../../caps/kernel/rights.ts";
import { ethernet, ipv4 } from "../../services/filter/grant/builder.ts";
import { defaultManifest } from "../../services/manifest/manifest.ts";
import { boot } from "../../services/system/boot.ts";
import { VirtualClock } from "../services/runtime/virtual_clock.ts";
import { Rig } from "../services/filter/service/service_rig.ts";

/** Every tag that is issued from now on, until it is disposed. */
function watchTags(): { readonly tags: Tag[] } & Disposable {
  const tags: Tag[] = [];
  const next = TagGenerator.prototype.next;
  TagGenerator.prototype.next = function () {
    const tag = next.call(this);
    tags.push(tag);
    return tag;
  };
  return {
    tags,
    [Symbol.dispose]: () => void (TagGenerator.prototype.next = next),
  };
}

/** What programs print from now on, until it is disposed. */
function watchConsole(): { readonly lines: string[] } & Disposable {
  const lines: string[] = [];
  const { log, error, warn } = console;
  const note = (...args: unknown[]) => void lines.push(inspect(args));
  Object.assign(console, { log: note, error: note, warn: note });
  return {
    lines,
    [Symbol.dispose]: () => void Object.assign(console, { log, error, warn }),
  };
}

/** The ways to write a tag down in full. */
function spellings({ low, high }: Tag): string[] {
  const whole = (BigInt(high) << 32n) | BigInt(low);
  const hex = (word: number) => word.toString(16).padStart(8, "0");
  return [whole.toString(), whole.toString(16), hex(high) + hex(low)];
}

function checkSecret(tags: readonly Tag[], texts: readonly string[]): void {
  assert.ok(tags.length > 0 && texts.length > 0);
  const all = texts.join("\n").toLowerCase().replaceAll(/[_\s:]/g, "");
  for (const tag of tags) {
    for (const spelling of spellings(tag)) {
      assert.ok(!all.includes(spelling), "a tag can be read");
    }
  }
}

/** All that an error says, its causes and fields too. */
async function errorOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    return inspect(error, { depth: 8, showHidden: true });
  }
  assert.fail("nothing was refused");
}

Deno.test("no tag of a system at work is in its snapshots, pictures, errors or lines", async () => {
  using watched = watchTags();
  using printed = watchConsole();
  const texts: string[] = [];
  const show = (value: unknown) =>
    texts.push(inspect(value, { depth: 12, maxArrayLength: null }));
  const system = await boot(defaultManifest(), {
    confined: false,
    onServiceFailed: (name, failure) => texts.push(name, failure),
  });
  const own = ipv4().udp().dstPort(9);
  await using receiver = await system.open(own.grant, {
    sends: ethernet().etherType(0x88b5).grant,
    lifetimeMs: 1e6,
  });
  assert.ok(receiver.send(new Uint8Array(60))); // refused, and counted
  texts.push(await errorOf(system.open(own.grant)));
  texts.push(await errorOf(system.open(own.grant, { quotaPages: 1e9 })));
  texts.push(await errorOf(system.open([{ vlan: 9999 }])));
  show(await system.snapshot());
  texts.push(await system.picture(), await system.picture({ format: "dot" }));
  await delay(100);
  show(await system.snapshot());
  await receiver[Symbol.asyncDispose]();
  show(await system.stop());
  // The root, an envelope and a capability for each of three services, and ours.
  assert.ok(watched.tags.length >= 8, `${watched.tags.length} tags`);
  checkSecret(watched.tags, [...texts, ...printed.lines]);
});

Deno.test("no answer that refuses a tag repeats it, nor says whether it is somebody's", async () => {
  using watched = watchTags();
  const clock = new VirtualClock();
  using rig = new Rig(undefined, clock);
  const [system, holder, stranger] = rig.clients;
  const tag = await system!.derive({
    from: rig.root,
    grant: ipv4().udp().grant,
    rights: RIGHT_RECEIVE | RIGHT_DELEGATE,
    quotaPages: 3,
    to: 1,
  });
  const texts: string[] = [];
  const refused = async (promise: Promise<unknown>) => {
    const text = errorOf(promise);
    for (let i = 0; i < 30; i++) await Promise.resolve();
    clock.advance(1000);
    texts.push(await text);
  };
  const guess = (tag ^ 1n) as typeof tag;
  await refused(stranger!.end("drop", tag));
  await refused(stranger!.end("drop", guess));
  const [theirs, nobodys] = texts.map((text) => text.replace(/\n.*/s, ""));
  assert.equal(theirs, nobodys);
  await refused(holder!.end("drop", rig.root));
  await refused(holder!.delegate({ capability: tag, to: 77 }));
  await refused(holder!.derive({
    from: tag,
    grant: ipv4().udp().grant,
    rights: RIGHT_RECEIVE,
    quotaPages: 0,
  }));
  await refused(stranger!.delegate({ capability: tag, to: 2 }));
  texts.push(inspect([rig.service.describe(), rig.service.refusals()], {
    depth: 12,
  }));
  checkSecret(watched.tags, texts);
});
