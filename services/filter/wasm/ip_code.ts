/** Code that finds where IP headers end. */

import { IPV6_HEADERS_MAX } from "../tree/atom.ts";
import {
  bitsOf,
  IPV6_EXTENSION,
  WALKED_EXTENSIONS,
} from "../../wire/numbers.ts";
import { Code, type Label } from "./code.ts";
import type { FunctionBody } from "./encoder.ts";

/** Where a header lies: an address in a local, and bytes from there. */
export interface HeaderPlace {
  readonly from: number;
  readonly offset: number;
}

/**
 * Sets local `into` to the address after an IPv4 header, of which 20 bytes are
 * there, or leaves for `fail`. Whether the whole header is there is still to be
 * checked. One comparison sees to version 4 and a length of 5 words or more:
 * the first byte is 0x45 to 0x4f.
 */
export function writeIpv4End(
  code: Code,
  place: HeaderPlace,
  into: number,
  fail: Label,
): void {
  const first = code.local("i32");
  code.op("local.get", place.from).op("i32.load8_u", place.offset)
    .op("local.tee", first).op("i32.const", 0x45).op("i32.sub")
    .op("i32.const", 10).op("i32.gt_u").branch("br_if", fail)
    .op("local.get", place.from)
    .op("local.get", first).op("i32.const", 15).op("i32.and")
    .op("i32.const", 2).op("i32.shl").op("i32.add")
    .op("i32.const", place.offset).op("i32.add").op("local.set", into);
  code.release("i32", first);
}

/** What {@link writeIpv6End} works with, beside the header's place. */
export interface Ipv6Locals {
  /** Where the frame ends. */
  readonly end: number;
  /** Becomes the address after all headers. */
  readonly into: number;
  /** Becomes `protocol | (fragment ? 256 : 0)`. */
  readonly protocol: number;
  /** The function of {@link ipv6Walk}. */
  readonly walk: number;
}

/**
 * Finds the end of an IPv6 header, of which 40 bytes are there. Extension
 * headers are rare, and walked over in a function.
 */
export function writeIpv6End(
  code: Code,
  place: HeaderPlace,
  locals: Ipv6Locals,
  fail: Label,
): void {
  const { end, into, protocol, walk } = locals;
  const result = code.local("i64");
  code.op("local.get", place.from).op("i32.load8_u", place.offset + 6)
    .op("local.set", protocol).op("local.get", place.from)
    .op("i32.const", place.offset + 40).op("i32.add").op("local.set", into);
  writeIsExtension(code, protocol);
  code.open("if");
  code.op("local.get", place.from).op("i32.const", place.offset).op("i32.add")
    .op("local.get", end).op("call", walk)
    .op("local.tee", result).op("i64.eqz").branch("br_if", fail)
    .op("local.get", result).op("i32.wrap_i64").op("local.set", protocol)
    .op("local.get", result).op("i64.const", 32).op("i64.shr_u")
    .op("i32.wrap_i64").op("local.set", into);
  code.close();
  code.release("i64", result);
}

/** Bit n is set when n is an extension header, for n below 64: all but mobility. */
const EXTENSIONS = bitsOf(
  WALKED_EXTENSIONS.filter((type) => type !== IPV6_EXTENSION.mobility),
);

/** Leaves on the stack whether `next` is an extension header's number. */
function writeIsExtension(code: Code, next: number): void {
  code.op("i64.const", EXTENSIONS).op("local.get", next)
    .op("i64.extend_i32_u").op("i64.shr_u").op("i32.wrap_i64")
    .op("i32.const", 1).op("i32.and")
    .op("local.get", next).op("i32.const", 64).op("i32.lt_u").op("i32.and")
    .op("local.get", next).op("i32.const", IPV6_EXTENSION.mobility).op("i32.eq")
    .op("i32.or");
}

/**
 * The function that walks over extension headers: from a header's address and
 * the frame's end to `address after them << 32 | fragment << 8 | protocol`, or
 * 0 when they are not all there or too many.
 */
export function ipv6Walk(): FunctionBody {
  const code = new Code(2);
  const [header, end] = [0, 1];
  const next = code.local("i32");
  const at = code.local("i32");
  const left = code.local("i32");
  const size = code.local("i32");
  const last = code.local("i32");
  const fail = code.open("block");
  code.op("local.get", header).op("i32.load8_u", 6).op("local.set", next)
    .op("local.get", header).op("i32.const", 40).op("i32.add")
    .op("local.set", at)
    .op("i32.const", IPV6_HEADERS_MAX + 1).op("local.set", left);
  const out = code.open("block");
  const walk = code.open("loop");
  writeIsExtension(code, next);
  code.op("i32.eqz").branch("br_if", out);
  code.op("local.get", left).op("i32.const", 1).op("i32.sub")
    .op("local.tee", left).op("i32.eqz").branch("br_if", fail);
  code.op("local.get", at).op("i32.const", 8).op("i32.add")
    .op("local.get", end).op("i32.gt_u").branch("br_if", fail);
  writeExtensionSize(code, { next, at, size });
  code.op("local.get", at).op("local.get", size).op("i32.add")
    .op("local.get", end).op("i32.gt_u").branch("br_if", fail);
  code.op("local.get", next).op("local.set", last)
    .op("local.get", at).op("i32.load8_u", 0).op("local.set", next)
    .op("local.get", at).op("local.get", size).op("i32.add")
    .op("local.set", at);
  code.op("local.get", last).op("i32.const", IPV6_EXTENSION.fragment).op(
    "i32.ne",
  )
    .branch("br_if", walk);
  code.close();
  code.op("local.get", next).op("i32.const", 256).op("i32.or")
    .op("local.set", next);
  code.close();
  code.op("local.get", at).op("i64.extend_i32_u").op("i64.const", 32)
    .op("i64.shl").op("local.get", next).op("i64.extend_i32_u").op("i64.or")
    .op("return");
  code.close().op("i64.const", 0);
  return {
    type: { parameters: ["i32", "i32"], results: ["i64"] },
    locals: code.locals,
    instructions: code.instructions,
  };
}

/** Sets `size` to the bytes of the extension header at address `at`. */
function writeExtensionSize(
  code: Code,
  locals: { readonly next: number; readonly at: number; readonly size: number },
): void {
  const { next, at, size } = locals;
  const done = code.open("block");
  code.op("i32.const", 8).op("local.set", size)
    .op("local.get", next).op("i32.const", IPV6_EXTENSION.fragment).op("i32.eq")
    .branch("br_if", done);
  code.op("local.get", at).op("i32.load8_u", 1)
    .op("i32.const", 2).op("i32.add").op("i32.const", 2).op("i32.shl")
    .op("local.set", size)
    .op("local.get", next).op("i32.const", IPV6_EXTENSION.authentication).op(
      "i32.eq",
    )
    .branch("br_if", done);
  code.op("local.get", at).op("i32.load8_u", 1)
    .op("i32.const", 1).op("i32.add").op("i32.const", 3).op("i32.shl")
    .op("local.set", size);
  code.close();
}
