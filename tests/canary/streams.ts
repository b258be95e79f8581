/** Faults in the streams of services in processes. */

import { type Fault, fault } from "./fault.ts";

const DRIVER_END = {
  file: "caps/port/stream/driver_end.ts",
  test: "caps/port/stream/data_test.ts",
};
const HOLDER_END = {
  file: "caps/port/stream/holder_end.ts",
  test: "caps/port/stream/data_test.ts",
};
const READER = {
  file: "caps/port/stream/reader.ts",
  test: "caps/port/stream/channels_test.ts",
};
const CHANNELS = {
  file: "caps/port/stream/channels.ts",
  test: "caps/port/stream/channels_test.ts",
};
const WRITER = {
  file: "caps/port/stream/writer.ts",
  test: "caps/port/stream/channels_test.ts",
};

/** All of them. */
export const STREAM_FAULTS: readonly Fault[] = [
  fault(
    "a page comes back that its process could still read",
    { ...DRIVER_END, filter: "has not read yet" },
    "return endAt <= (readByHolder?.() ?? writer.written);",
    "return endAt > 0 || readByHolder === undefined || writer.empty;",
  ),
  fault(
    "a delivery is answered twice",
    { ...DRIVER_END, filter: "none comes twice" },
    "    this.#lent.delete(delivery);\n",
    "",
  ),
  fault(
    "what announced a page that does not come is kept",
    { ...DRIVER_END, filter: "none comes twice" },
    "    this.#push(submission);\n  }\n\n  #push",
    "  }\n\n  #push",
  ),
  fault(
    "a string without records sends what an earlier one had",
    { ...DRIVER_END, filter: "own string without records" },
    "const count = string.length > 0 ? body.count : 0;",
    "const count = body.count;",
  ),
  fault(
    "a process may have any number of messages unread",
    { ...DRIVER_END, filter: "more under way" },
    "this.#queue.length >= this.#options.unreadMax",
    "this.#queue.length < 0",
  ),
  fault(
    "what is only handled goes out again",
    { ...DRIVER_END, filter: "reach a holder whole" },
    "    else new RecordWalk(records, lent.count).emptyAll();\n",
    "",
  ),
  fault(
    "strings of a holder's own come back in another order",
    { ...HOLDER_END, filter: "in their order" },
    "const records = this.#sent.shift();",
    "const records = this.#sent.pop();",
  ),
  fault(
    "a reply in a page stays in its process",
    { ...HOLDER_END, filter: "reach a holder whole" },
    "if (page !== INLINE && changed.at(-1) !== page) changed.push(page);",
    "",
  ),
  fault(
    "a message may be of any size",
    { ...READER, filter: "4 GiB" },
    "if (size > BODY_BYTES_MAX) {",
    "if (size < 0) {",
  ),
  fault(
    "a buffer is as large as a message announces",
    { ...READER, filter: "half a message" },
    "    if (left < whole) {\n",
    "    if (left < whole) {\n      this.bytes = new Uint8Array(whole);\n",
  ),
  fault(
    "who never reads a channel is kept everything",
    { ...CHANNELS, filter: "never reads a channel" },
    "if (this.#queue.length === UNREAD_MAX) {",
    "if (this.#queue.length < 0) {",
  ),
  fault(
    "a stream is never full",
    { ...WRITER, filter: "stream that is full" },
    "return this.#to - this.#from > UNWRITTEN_BYTES_MAX;",
    "return this.#to < this.#from;",
  ),
];
