/** Code for a walk over headers (language/ir.ts, `Protochain`). */

import type { Protochain } from "../language/ir.ts";
import { PROTOCHAIN_STEPS_MAX } from "../language/limits.ts";
import {
  bitsOf,
  IPV6_EXTENSION,
  LIBPCAP_EXTENSIONS,
} from "../../wire/numbers.ts";
import type { Code, Label } from "./code.ts";

const NO_NEXT_HEADER = 59;
/** Bit n is set when n is a header that only IPv6 has. */
const EXTENSIONS = bitsOf(LIBPCAP_EXTENSIONS);

/** Where a walk takes place. Of the first header, its length's and its next header's bytes are there. */
interface Place {
  readonly code: Code;
  readonly start: number;
  readonly length: number;
  readonly rejects: Label;
}

/** Walks over headers, and leaves for `found` or `missing`; or rejects. */
export function writeProtochain(
  place: Place,
  chain: Protochain,
  labels: { readonly found: Label; readonly missing: Label },
): void {
  const { code, start, length, rejects } = place;
  const { version, offset, protocol } = chain;
  const next = code.local("i32");
  const at = code.local("i32");
  const left = code.local("i32");
  code.op("local.get", start)
    .op("i32.load8_u", offset + (version === 4 ? 9 : 6)).op("local.set", next);
  if (version === 6) code.op("i32.const", 40);
  else {
    code.op("local.get", start).op("i32.load8_u", offset)
      .op("i32.const", 15).op("i32.and").op("i32.const", 2).op("i32.shl");
  }
  code.op("local.set", at)
    .op("i32.const", PROTOCHAIN_STEPS_MAX + 1).op("local.set", left);
  const walk = code.open("loop");
  code.op("local.get", next).op("i32.const", protocol).op("i32.eq")
    .branch("br_if", labels.found);
  code.op("local.get", next).op("i32.const", NO_NEXT_HEADER).op("i32.eq")
    .branch("br_if", labels.missing);
  // Both bytes of the header at `at` must be there.
  const inPacket = () =>
    code.op("local.get", at).op("local.get", length)
      .op("i32.const", offset + 2).op("i32.sub").op("i32.gt_u")
      .branch("br_if", rejects);
  const advance = (units: number, shift: number) =>
    code.op("local.get", at).op("local.get", start).op("i32.add")
      .op("local.tee", next).op("i32.load8_u", offset + 1)
      .op("i32.const", units).op("i32.add")
      .op("i32.const", shift).op("i32.shl");
  const reload = () =>
    code.op("local.get", next).op("i32.load8_u", offset)
      .op("local.set", next);
  const onward = code.open("block");
  if (version === 6) {
    const other = code.open("block");
    writeIsExtension(code, next);
    code.op("i32.eqz").branch("br_if", other);
    inPacket();
    advance(1, 3).op("local.get", at).op("i32.add").op("local.set", at);
    reload();
    code.branch("br", onward);
    code.close();
  }
  code.op("local.get", next).op("i32.const", IPV6_EXTENSION.authentication).op(
    "i32.ne",
  )
    .branch("br_if", labels.missing);
  inPacket();
  advance(2, 2).op("local.set", at);
  reload();
  code.close();
  code.op("local.get", left).op("i32.const", 1).op("i32.sub")
    .op("local.tee", left).branch("br_if", walk);
  code.branch("br", rejects);
  code.close();
  for (const local of [next, at, left]) code.release("i32", local);
}

/** Leaves on the stack whether `next` is one of {@link EXTENSIONS}. */
function writeIsExtension(code: Code, next: number): void {
  code.op("i64.const", EXTENSIONS).op("local.get", next)
    .op("i64.extend_i32_u").op("i64.shr_u").op("i32.wrap_i64")
    .op("i32.const", 1).op("i32.and")
    .op("local.get", next).op("i32.const", 64).op("i32.lt_u").op("i32.and");
}
