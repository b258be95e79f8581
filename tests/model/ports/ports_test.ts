/** Ports between services do what their reference says, whatever is asked, sent, or forged. */

import fc from "fast-check";
import { testProperty } from "../../property.ts";
import { playPorts } from "./game.ts";
import { anyPortMove } from "./moves.ts";
import { PORTS_PROPERTY } from "./property_name.ts";

testProperty(
  PORTS_PROPERTY,
  { runs: 20_000, file: import.meta.url },
  fc.property(fc.array(anyPortMove, { maxLength: 30 }), playPorts),
);
