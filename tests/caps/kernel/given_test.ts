import { deepStrictEqual } from "node:assert/strict";
import { given } from "../../../caps/kernel/given.ts";

Deno.test("fields that are undefined are left out, all others kept in their order", () => {
  const dst: number | undefined = undefined;
  const src = 0 as number | undefined;
  const exact: { src?: number; dst?: number; port: number } = {
    port: 1,
    ...given({ src, dst }),
  };
  deepStrictEqual(Object.entries(exact), [["port", 1], ["src", 0]]);
  deepStrictEqual(given({ a: null, b: false, c: "", d: Number.NaN }), {
    a: null,
    b: false,
    c: "",
    d: Number.NaN,
  });
});
