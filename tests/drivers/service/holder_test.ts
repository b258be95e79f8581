import { deepEqual, equal } from "node:assert/strict";
import { PLAIN_LIMITS } from "../../../caps/driver/messages.ts";
import { makePipe, takeAll } from "../../../caps/port/port.ts";
import {
  type Delivery,
  STRING_BYTES,
  STRINGS_PER_HOLDER,
} from "../../../caps/port/records.ts";
import { makeTrustedRings } from "../../../caps/port/trusted_ring.ts";
import { Holder, STRIKES_MAX } from "../../../drivers/service/holder.ts";

function makeHolder(limits = {}, rings?: SharedArrayBuffer) {
  const [own, forDriver] = makePipe<unknown, Delivery | null>();
  return { own, holder: new Holder(7, forDriver, limits, rings) };
}

Deno.test("a holder is cut off at so many strikes, whatever they are for, and each is counted as one refusal", () => {
  const { holder } = makeHolder();
  holder.strike("flood", STRIKES_MAX - 2);
  holder.strike("malformed");
  equal(holder.tooManyStrikes, false);
  holder.strike("malformed");
  equal(holder.tooManyStrikes, true);
  deepEqual(holder.refusals.snapshot(), { flood: 1, malformed: 2 });
});

Deno.test("void tags are counted, and cost nothing while there are excuses", () => {
  const { holder } = makeHolder({ inFlightMax: 2 }, makeTrustedRings());
  holder.trusted!.out = 3;
  holder.excuse();
  for (let i = 0; i < 5; i++) holder.strikeVoid();
  equal(holder.voids, 0);
  holder.strikeVoid();
  equal(holder.voids, 1);
  deepEqual(holder.refusals.snapshot(), { "void-capability": 6 });
});

Deno.test("a holder has as many byte strings as there are for one, and those of its own go back to it", () => {
  const { own, holder } = makeHolder();
  equal(holder.strings.length, STRINGS_PER_HOLDER);
  for (const string of holder.strings) equal(string.byteLength, STRING_BYTES);
  const mine = new ArrayBuffer(STRING_BYTES);
  new Uint8Array(mine)[0] = 9;
  holder.strings.pop();
  holder.returnString(new ArrayBuffer(STRING_BYTES));
  equal(holder.strings.length, STRINGS_PER_HOLDER);
  holder.returnString(mine);
  equal(own.take(), undefined, "not before it is said to");
  for (let times = 0; times < 2; times++) holder.returnSurplus();
  const back = [...takeAll(own)];
  equal(back.length, 1, "once");
  const { capabilities, records, count, pages } = back[0]!;
  deepEqual([capabilities, count, pages], [[], 0, []]);
  equal(new Uint8Array(records)[0], 9);
  equal(holder.strings.length, STRINGS_PER_HOLDER);
});

Deno.test("pages go to a holder one by one unless its limits say otherwise", () => {
  deepEqual(makeHolder().holder.limits, { ...PLAIN_LIMITS, runPagesMax: 1 });
  const limits = { runPagesMax: 4, inFlightMax: 5 };
  deepEqual(makeHolder(limits).holder.limits, limits);
});

Deno.test("a holder is behind while its last byte string is being filled", () => {
  const { holder } = makeHolder();
  const string = holder.strings.pop()!;
  holder.open.begin(string);
  equal(holder.behind, false);
  const others = holder.strings.splice(0);
  equal(holder.behind, true);
  holder.open.end();
  equal(holder.behind, false);
  holder.open.begin(string);
  holder.strings.push(others[0]!);
  equal(holder.behind, false);
});
