/** What two services say to each other: requests, their answers, and what is told unasked. */

import { showValue } from "../fields/show_value.ts";
import { type Field, record } from "./fields.ts";

/** The most bytes of one request, answer or push. */
export const BODY_BYTES_MAX = 4096;

/** The longest description: what both ends compare. */
export const INTERFACE_TEXT_MAX = 1000;

/** What passes through a port. Both ends have the same, to the last field. */
export interface PortInterface<
  Request = unknown,
  Answer = unknown,
  Push = unknown,
> {
  /** `neighbours`; with a version where there is more than one. */
  readonly name: string;
  /** What is asked. */
  readonly request: Field<Request>;
  /** What is answered. */
  readonly answer: Field<Answer>;
  /** What the answering service tells unasked. */
  readonly push: Field<Push>;
  /** All of it in words: `neighbours {address:ipAddress} -> {mac:optional(mac)}, {}`. */
  readonly text: string;
}

/** The name of an interface, or of a port: what a manifest and a table can show. */
export const PORT_NAME: RegExp = /^[a-z][a-z0-9.-]{0,31}$/;

/** {@link PORT_NAME} in words. */
export const PORT_NAME_EXPECTED =
  'a name of up to 32 of a-z, 0-9, "." and "-", a letter first';

/** All that {@link portInterface} has made: what else looks like one may have any text. */
const made = new WeakSet<object>();

/** Whether {@link portInterface} has made it. */
export function isPortInterface(of: unknown): of is PortInterface {
  return typeof of === "object" && of !== null && made.has(of);
}

/**
 * An interface. Where nothing is told unasked, `push` is left out.
 *
 * @throws {RangeError} when its name is none, or a value could take more than
 * {@link BODY_BYTES_MAX}.
 */
export function portInterface<Request, Answer, Push = NoValue>(
  { name, request, answer, push }: {
    readonly name: string;
    readonly request: Field<Request>;
    readonly answer: Field<Answer>;
    readonly push?: Field<Push>;
  },
): PortInterface<Request, Answer, Push> {
  if (typeof name !== "string" || !PORT_NAME.test(name)) {
    throw new RangeError(
      `portInterface: its name is ${
        showValue(name)
      }; expected ${PORT_NAME_EXPECTED}`,
    );
  }
  // Nobody pushes what has no fields but by leaving `push` out.
  const told = push ?? (record({}) as Field<unknown> as Field<Push>);
  for (const [what, { sizeMax }] of Object.entries({ request, answer, told })) {
    if (sizeMax <= BODY_BYTES_MAX) continue;
    throw new RangeError(
      `portInterface ${name}: a ${
        what === "told" ? "push" : what
      } takes up to ${sizeMax} bytes; expected at most ${BODY_BYTES_MAX}`,
    );
  }
  const text = `${name} ${request.kind} -> ${answer.kind}, ${told.kind}`;
  if (text.length > INTERFACE_TEXT_MAX) {
    throw new RangeError(
      `portInterface ${name}: its fields take ${text.length} characters to name; expected at most ${INTERFACE_TEXT_MAX}`,
    );
  }
  const one = Object.freeze({ name, request, answer, push: told, text });
  made.add(one);
  return one;
}

/** A record without fields. */
export type NoValue = Readonly<Record<never, never>>;
