/** Were ports between services broken, their reference would say so. */

import { allAreNoticed } from "../noticed.ts";
import { PORT_MUTATIONS } from "./mutations.ts";
import { PORTS_PROPERTY } from "./property_name.ts";

Deno.test("each way to break a port is noticed by the reference", () =>
  allAreNoticed(PORT_MUTATIONS, {
    test: "tests/model/ports/ports_test.ts",
    property: PORTS_PROPERTY,
  }));
