import { deepEqual, equal, match, rejects } from "node:assert/strict";
import fc from "fast-check";
import { Calls, NoAnswerError } from "../../../services/runtime/calls.ts";
import { testProperty } from "../../property.ts";

testProperty(
  "each asker gets the answer to its own question, in whatever order they come",
  { runs: 200, file: import.meta.url },
  fc.asyncProperty(
    fc.nat({ max: 20 }).chain((count) =>
      fc.tuple(
        fc.constant(count),
        fc.shuffledSubarray(Array.from({ length: count }, (_, i) => i)),
      )
    ),
    async ([count, order]) => {
      const calls = new Calls<string>("the other side", Infinity);
      const ids: number[] = [];
      const asked = Array.from(
        { length: count },
        () => calls.ask((id) => void ids.push(id)),
      );
      equal(new Set(ids).size, count);
      for (const i of order) {
        equal(calls.answer(ids[i]!, `answer ${i}`), true);
        equal(calls.answer(ids[i]!, "another"), false);
      }
      calls.abandon();
      const outcomes = await Promise.allSettled(asked);
      deepEqual(
        outcomes.map((one) =>
          one.status === "fulfilled" ? one.value : one.reason.message
        ),
        asked.map((_, i) =>
          order.includes(i) ? `answer ${i}` : "the other side has ended"
        ),
      );
    },
  ),
);

Deno.test("a question that is not answered in time, or could not be sent, fails; its answer comes too late", async () => {
  const calls = new Calls<string>("the other side", 1);
  let asked = 0;
  await rejects(calls.ask((id) => void (asked = id)), (error: Error) => {
    match(error.message, /^the other side has not answered for 0.001 s$/);
    return error instanceof NoAnswerError;
  });
  equal(calls.answer(asked, "late"), false);
  await rejects(calls.ask(() => false), {
    message: "the other side cannot be asked: the port is closed",
  });
  const answered = calls.ask((id) => {
    asked = id;
    return true;
  });
  equal(calls.answer(asked, "in time"), true);
  equal(await answered, "in time");
});

Deno.test({
  name: "no timer outlives its question",
  sanitizeOps: true,
  sanitizeResources: true,
  fn: async () => {
    const calls = new Calls<string>("the other side", 60_000);
    let id = 0;
    const asked = calls.ask((given) => void (id = given));
    calls.answer(id, "at once");
    equal(await asked, "at once");
    const abandoned = calls.ask(() => {});
    calls.abandon();
    await rejects(abandoned, NoAnswerError);
    await rejects(calls.ask(() => false), NoAnswerError);
  },
});
