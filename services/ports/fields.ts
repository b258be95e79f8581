/**
 * Kinds of values that pass between services. Each has one form in bytes, so that
 * equal values are equal bytes, and nothing else is read: a body is the fields of
 * its record, in their order, big-endian.
 *
 * ```
 *   u8, u16, u32         1, 2, 4 bytes
 *   flag                 1 byte, 0 or 1
 *   oneOf(…words)        1 byte: which word
 *   text(max)            2 bytes of length, UTF-8
 *   bytes(max)           2 bytes of length, bytes
 *   mac                  6 bytes
 *   ipAddress            1 byte, 4 or 6, then the 4 or 16 of the address
 *   optional(field)      1 byte, 0 or 1, then the field if it is there
 *   list(field, max)     2 bytes of count, then each
 *   record({…})          its fields
 * ```
 */

import { showValue } from "../fields/show_value.ts";
import { getU16, getU32, setU16, setU32 } from "../wire/big_endian.ts";
import {
  addressBits,
  type IpAddress,
  ipAddressBytes,
} from "../wire/ip_address.ts";
import type { BodyReader, BodyWriter } from "./body.ts";

/** A kind of value. */
export interface Field<Value> {
  /** How both ends of a port know it: `u16`, `text(64)`. */
  readonly kind: string;
  /** The most bytes that a value takes. */
  readonly sizeMax: number;
  /**
   * Writes `value`, for which there is room.
   * @throws {TypeError} when it is not of this kind.
   */
  write(into: BodyWriter, value: Value): void;
  /** Reads a value; says to the reader when there is none. */
  read(from: BodyReader): Value;
}

/** The value that a field is of. */
export type ValueOf<Kind> = Kind extends Field<infer Value> ? Value : never;

/** The longest list, text and byte string: a length is 16 bits. */
const LENGTH_MAX = 0xffff;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** A whole number from 0 to 255. */
export const u8: Field<number> = uint("u8", 1);
/** A whole number from 0 to 65,535. */
export const u16: Field<number> = uint("u16", 2);
/** A whole number from 0 to 4,294,967,295. */
export const u32: Field<number> = uint("u32", 4);

function uint(kind: string, sizeMax: 1 | 2 | 4): Field<number> {
  const max = 256 ** sizeMax - 1;
  return {
    kind,
    sizeMax,
    write(into, value) {
      if (!Number.isInteger(value) || value < 0 || value > max) {
        throw wrong(`a whole number from 0 to ${max}`, value);
      }
      const { bytes, at } = into;
      if (sizeMax === 4) setU32(bytes, at, value);
      else if (sizeMax === 2) setU16(bytes, at, value);
      else bytes[at] = value;
      into.at = at + sizeMax;
    },
    read(from) {
      const at = from.take(sizeMax);
      if (from.malformed) return 0;
      const { bytes } = from;
      if (sizeMax === 4) return getU32(bytes, at);
      return sizeMax === 2 ? getU16(bytes, at) : bytes[at]!;
    },
  };
}

/** True or false. */
export const flag: Field<boolean> = {
  kind: "flag",
  sizeMax: 1,
  write(into, value) {
    if (typeof value !== "boolean") throw wrong("true or false", value);
    into.bytes[into.at++] = value ? 1 : 0;
  },
  read: readFlag,
};

function readFlag(from: BodyReader): boolean {
  const value = u8.read(from);
  if (value > 1) from.malformed = true;
  return value === 1;
}

/** One of these words, at most 256. */
export function oneOf<const Words extends readonly string[]>(
  ...words: Words
): Field<Words[number]> {
  if (words.length === 0 || words.length > 256) {
    throw new RangeError(`oneOf: ${words.length} words; expected 1 to 256`);
  }
  if (new Set(words).size < words.length) {
    throw new RangeError(`oneOf: a word is there twice: ${words.join(", ")}`);
  }
  return {
    kind: `oneOf(${words.join()})`,
    sizeMax: 1,
    write(into, value) {
      const which = words.indexOf(value);
      if (which < 0) throw wrong(`one of ${words.join(", ")}`, value);
      into.bytes[into.at++] = which;
    },
    read(from) {
      const which = u8.read(from);
      if (which >= words.length) from.malformed = true;
      return words[which] ?? words[0]!;
    },
  };
}

/** A text of at most `bytesMax` bytes in UTF-8. */
export function text(bytesMax: number): Field<string> {
  checkLength("text", bytesMax);
  return {
    kind: `text(${bytesMax})`,
    sizeMax: 2 + bytesMax,
    write(into, value) {
      if (typeof value !== "string" || !value.isWellFormed()) {
        throw wrong("a text", value);
      }
      const start = into.at + 2;
      const { read, written } = encoder.encodeInto(
        value,
        into.bytes.subarray(start, start + bytesMax),
      );
      if (read < value.length) {
        throw wrong(`a text of at most ${bytesMax} bytes`, value);
      }
      setU16(into.bytes, into.at, written);
      into.at = start + written;
    },
    read(from) {
      const [start, end] = readLength(from, bytesMax);
      try {
        return decoder.decode(from.bytes.subarray(start, end));
      } catch {
        from.malformed = true;
        return "";
      }
    },
  };
}

/** At most `max` bytes. Who reads them gets a copy of its own. */
export function bytes(max: number): Field<Uint8Array<ArrayBuffer>> {
  checkLength("bytes", max);
  return {
    kind: `bytes(${max})`,
    sizeMax: 2 + max,
    write(into, value) {
      if (!(value instanceof Uint8Array) || value.length > max) {
        throw wrong(`at most ${max} bytes`, value);
      }
      const { length } = value;
      setU16(into.bytes, into.at, length);
      into.bytes.set(value, into.at + 2);
      into.at += 2 + length;
    },
    read(from) {
      const [start, end] = readLength(from, max);
      return from.bytes.slice(start, end);
    },
  };
}

/** An Ethernet address: six bytes. */
export const mac: Field<Uint8Array<ArrayBuffer>> = {
  kind: "mac",
  sizeMax: 6,
  write(into, value) {
    if (!(value instanceof Uint8Array) || value.length !== 6) {
      throw wrong("the six bytes of an Ethernet address", value);
    }
    into.bytes.set(value, into.at);
    into.at += 6;
  },
  read(from) {
    const { bytes } = from;
    const at = from.take(6);
    // Six bytes by hand are there before slice() has asked for their class.
    const own = new Uint8Array(6);
    for (let i = 0; i < 6; i++) own[i] = bytes[at + i]!;
    return own;
  },
};

/** An address of IPv4 or IPv6. */
export const ipAddress: Field<IpAddress> = {
  kind: "ipAddress",
  sizeMax: 17,
  write(into, value) {
    const { version, value: number } = value ?? {};
    if (
      version !== 4 && version !== 6 || typeof number !== "bigint" ||
      !isAddress(version, number)
    ) throw wrong("an IP address", value);
    into.bytes[into.at] = version;
    const own = ipAddressBytes({ version, value: number });
    into.bytes.set(own, into.at + 1);
    into.at += 1 + own.length;
  },
  read(from) {
    const version = u8.read(from) === 4 ? 4 : 6;
    let at = from.take(version === 4 ? 4 : 16);
    const { bytes } = from;
    if (from.malformed || bytes[at - 1] !== version) {
      from.malformed = true;
      return { version: 4, value: 0n };
    }
    let value = 0n;
    for (; at < from.at; at += 4) {
      value = value << 32n | BigInt(getU32(bytes, at));
    }
    if (!isAddress(version, value)) from.malformed = true;
    return { version, value };
  },
};

/** One address has one form: not IPv4's in IPv6's (RFC 4291, section 2.5.5.2). */
function isAddress(version: 4 | 6, value: bigint): boolean {
  return value >= 0n && value >> BigInt(addressBits(version)) === 0n &&
    !(version === 6 && value >> 32n === 0xffffn);
}

/** A value of `field`, or none. */
export function optional<Value>(
  field: Field<Value>,
): Field<Value | undefined> {
  return {
    kind: `optional(${field.kind})`,
    sizeMax: 1 + field.sizeMax,
    write(into, value) {
      into.bytes[into.at++] = value === undefined ? 0 : 1;
      if (value !== undefined) field.write(into, value);
    },
    read: (from) => readFlag(from) ? field.read(from) : undefined,
  };
}

/** At most `max` values of `field`. */
export function list<Value>(
  field: Field<Value>,
  max: number,
): Field<readonly Value[]> {
  checkLength("list", max);
  return {
    kind: `list(${field.kind},${max})`,
    sizeMax: 2 + max * field.sizeMax,
    write(into, values) {
      if (!Array.isArray(values) || values.length > max) {
        throw wrong(`a list of at most ${max}`, values);
      }
      const count = values.length;
      setU16(into.bytes, into.at, count);
      into.at += 2;
      for (let i = 0; i < count; i++) field.write(into, values[i]);
    },
    read(from) {
      const count = u16.read(from);
      if (count > max) from.malformed = true;
      const values: Value[] = [];
      // What is malformed is not read on: a count costs no more than it has bytes.
      for (let i = 0; i < count && !from.malformed; i++) {
        values.push(field.read(from));
      }
      return values;
    },
  };
}

/** Several fields, by name. */
export function record<
  const Fields extends Readonly<Record<string, Field<unknown>>>,
>(
  fields: Fields,
): Field<{ readonly [Name in keyof Fields]: ValueOf<Fields[Name]> }> {
  type Value = { readonly [Name in keyof Fields]: ValueOf<Fields[Name]> };
  const entries = Object.entries(fields);
  return {
    kind: `{${entries.map(([name, { kind }]) => `${name}:${kind}`).join()}}`,
    sizeMax: entries.reduce((sum, [, { sizeMax }]) => sum + sizeMax, 0),
    write(into, value) {
      if (typeof value !== "object" || value === null) {
        throw wrong("a record", value);
      }
      for (const [name, field] of entries) {
        try {
          field.write(into, Reflect.get(value, name));
        } catch (error) {
          throw error instanceof TypeError
            ? new TypeError(`${name}: ${error.message}`)
            : error;
        }
      }
    },
    read(from) {
      const value: Record<string, unknown> = {};
      for (const [name, field] of entries) value[name] = field.read(from);
      return value as Value;
    },
  };
}

/** The place of a text or byte string whose length is at most `max`. */
function readLength(from: BodyReader, max: number): [number, number] {
  const length = u16.read(from);
  if (length > max) from.malformed = true;
  const start = from.take(length);
  return from.malformed ? [0, 0] : [start, start + length];
}

function checkLength(kind: string, max: number): void {
  if (Number.isInteger(max) && max >= 0 && max <= LENGTH_MAX) return;
  throw new RangeError(
    `${kind}: at most ${max}; expected a whole number from 0 to ${LENGTH_MAX}`,
  );
}

function wrong(expected: string, value: unknown): TypeError {
  return new TypeError(`expected ${expected}, got ${showValue(value)}`);
}
