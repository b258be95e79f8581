/** Were the system broken, the model would say so: it is broken here, in a copy, again and again. */

import { MUTATIONS } from "./mutations.ts";
import { allAreNoticed } from "./noticed.ts";
import { PROPERTY } from "./property_name.ts";

Deno.test("each way to break one invariant is noticed by the model", () =>
  allAreNoticed(MUTATIONS, {
    test: "tests/model/model_test.ts",
    property: PROPERTY,
  }));
