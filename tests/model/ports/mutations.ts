/** Ways to break ports between services, one rule each. The reference must notice every one. */

import { type Mutation, mutation } from "../mutation.ts";

const ASKING = "services/core/asking.ts";
const ANSWERING = "services/core/answering.ts";
const CHANNEL = "services/ports/asker_channel.ts";
const UNREAD = "services/ports/unread.ts";
const MESSAGE = "services/ports/message.ts";
const BROKER = "services/system/supervision/port_broker.ts";

/** All of them. */
export const PORT_MUTATIONS: readonly Mutation[] = [
  mutation(
    "any number of requests may be under way",
    ASKING,
    "this.#waiting.size + this.#late.size >= REQUESTS_MAX",
    "this.#waiting.size + this.#late.size >= 2 * REQUESTS_MAX",
  ),
  mutation(
    "requests that nobody waits for take no places",
    ASKING,
    "this.#waiting.size + this.#late.size >= REQUESTS_MAX",
    "this.#waiting.size >= REQUESTS_MAX",
  ),
  mutation(
    "a late answer is one that nobody asked for",
    ASKING,
    'if (this.#late.delete(number)) return this.#tally.add("late");',
    "this.#late.delete(number);",
  ),
  mutation(
    "an answer may come twice",
    ASKING,
    "    this.#waiting.delete(number);\n    if (kind === RECORD.declined) {",
    "    if (kind === RECORD.declined) {",
  ),
  mutation(
    "what nobody asked for is no strike",
    ASKING,
    'return this.#strike("unasked", now, out);',
    'return this.#tally.add("unasked");',
  ),
  mutation(
    "pushes are taken without end",
    ASKING,
    'if (++this.#unshown > PUSHES_MAX) return this.#strike("over", now, out);',
    "this.#unshown++;",
  ),
  mutation(
    "pushes that were read are not shown while nothing is asked",
    ASKING,
    "!this.#writer.empty || this.#unshown >= SHOWN_EVERY",
    "!this.#writer.empty",
  ),
  mutation(
    "a request outlives its time",
    ASKING,
    "if (untilUs > now) return;",
    "if (untilUs >= now) return;",
  ),
  mutation(
    "what was asked waits on when the other service has ended",
    ASKING,
    "    this.#waiting.clear();\n",
    "",
  ),
  mutation(
    "the answerer's end is not told to the core",
    ASKING,
    "if (!this.#isNew) this.#hears.onAvailable?.(false, now, out);",
    "",
  ),
  mutation(
    "an older connection's end closes the newer one",
    BROKER,
    "edge.id = ++this.#lastId;",
    "edge.id = 1;",
  ),
  mutation(
    "the asker is never cut off",
    ANSWERING,
    "if (asker.strikes >= STRIKES_MAX) {",
    "if (asker.strikes > STRIKES_MAX) {",
  ),
  mutation(
    "the answerer is cut off one strike later",
    ASKING,
    "if (++this.#strikes < STRIKES_MAX) return;",
    "if (++this.#strikes <= STRIKES_MAX) return;",
  ),
  mutation(
    "an asker may have any number of requests with the answerer",
    ANSWERING,
    'if (!asker.hasPlace) return this.#strike(asker, "over");',
    "",
  ),
  mutation(
    "answers that were not read take no places",
    CHANNEL,
    "this.later + this.answers + this.unread.answers < REQUESTS_MAX",
    "this.later + this.answers < REQUESTS_MAX",
  ),
  mutation(
    "requests that wait for their answers take no places",
    CHANNEL,
    "this.later + this.answers + this.unread.answers < REQUESTS_MAX",
    "this.answers + this.unread.answers < REQUESTS_MAX",
  ),
  mutation(
    "one service is told what another was to hear",
    ANSWERING,
    "if (to !== undefined && asker.name !== to) continue;",
    "",
  ),
  mutation(
    "the lost pushes are not counted for who has lost them",
    ANSWERING,
    "asker.lost++;",
    "",
  ),
  mutation(
    "pushes pile up unread",
    CHANNEL,
    "return this.pushes + this.unread.pushes < PUSHES_MAX;",
    "return this.pushes < PUSHES_MAX;",
  ),
  mutation(
    "a request that is kept for later never ends",
    ANSWERING,
    "if (untilUs > now) return;",
    "return;",
  ),
  mutation(
    "what was kept for an asker that has ended is answered to the next",
    ANSWERING,
    "if (later.asker === asker) this.#later.delete(id);",
    "",
  ),
  mutation(
    "any token counts as that of the last message",
    UNREAD,
    "if (last < 0) return false;",
    "if (last < 0) return this.#messages.length > 0 && this.read(this.#messages.at(-1)!.token);",
  ),
  mutation(
    "a record that is torn counts as a whole one",
    MESSAGE,
    "if (end > bytes.length) return false;",
    "",
  ),
  mutation(
    "a service that starts again is not connected again",
    BROKER,
    "this.down(service);\n    this.#opened.set(service, opened);",
    "if (this.#opened.has(service)) return [];\n    this.#opened.set(service, opened);",
  ),
];
