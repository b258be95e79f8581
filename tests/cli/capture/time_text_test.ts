import { deepEqual, equal, ok } from "node:assert/strict";
import { TimeText } from "../../../cli/capture/time_text.ts";

const textOf = (
  style: ConstructorParameters<typeof TimeText>[0],
  nanoseconds = false,
) => {
  const times = new TimeText(style, nanoseconds);
  return (seconds: number, rest = 0) =>
    times.of({ seconds, nanoseconds: rest });
};

Deno.test("every second is a second: the one before 1970, and the first", () => {
  for (const style of ["day", "date"] as const) {
    const text = textOf(style);
    ok(/\d\d:\d\d:\d\d\.500000 $/.test(text(-1, 5e8)), text(-1, 5e8));
    ok(/\d\d:\d\d:\d\d\.000000 $/.test(text(0)));
    ok(!text(-1).startsWith("."));
  }
});

Deno.test("a time that no calendar has is shown in seconds", () => {
  for (const style of ["day", "date"] as const) {
    const text = textOf(style);
    equal(text(8.64e12 + 1, 1000), "8640000000001.000001 ");
    equal(text(2 ** 62), "4611686018427388000.000000 ");
    equal(text(-8.64e12 - 2, 5e8), "-8640000000001.500000 ");
    equal(text(-(2 ** 50)), "-1125899906842624.000000 ");
  }
});

Deno.test("seconds before 1970 have their sign and their own fraction", () => {
  const text = textOf("seconds", true);
  deepEqual([text(-1, 999_999_999), text(-1), text(-2, 5e8), text(3, 7)], [
    "-0.000000001 ",
    "-1.000000000 ",
    "-1.500000000 ",
    "3.000000007 ",
  ]);
});

Deno.test("differences are tcpdump's, also backwards and beyond a day", () => {
  const times = [[10, 5e8], [11, 4e8], [11, 3e8], [100_011, 3e8]] as const;
  const previous = textOf("since-previous");
  deepEqual(times.map(([seconds, rest]) => previous(seconds, rest)), [
    " 00:00:00.000000 ",
    " 00:00:00.900000 ",
    "-00:00:00.100000 ",
    " 27:46:40.000000 ",
  ]);
  const first = textOf("since-first");
  deepEqual(times.map(([seconds, rest]) => first(seconds, rest)), [
    " 00:00:00.000000 ",
    " 00:00:00.900000 ",
    " 00:00:00.800000 ",
    " 27:46:40.800000 ",
  ]);
});
