/** Faults in caps/. */

import { type Fault, fault } from "./fault.ts";

const QUEUE = {
  file: "caps/kernel/expiry_queue.ts",
  test: "caps/kernel/expiry_queue_test.ts",
};
const TAGS = {
  file: "caps/kernel/tag_table.ts",
  test: "caps/kernel/tag_table_test.ts",
};
const ADMISSION = {
  file: "caps/kernel/admission.ts",
  test: "caps/kernel/admission_test.ts",
};
const PORT_TABLES = {
  file: "caps/kernel/port_tables.ts",
  test: "caps/kernel/kernel_test.ts",
};
const LEDGER = {
  file: "caps/memory/page_ledger.ts",
  test: "caps/memory/page_ledger_test.ts",
};

/** All of them. */
export const CAPS_FAULTS: readonly Fault[] = [
  fault(
    "the tags of a count come again after 2^32",
    {
      file: "caps/kernel/tag.ts",
      test: "caps/kernel/tag_test.ts",
      filter: "across 2^32",
    },
    "    this.#counterHigh = (this.#counterHigh + 1) >>> 0;\n",
    "",
  ),
  fault(
    "the expiry queue does not rise on removal",
    QUEUE,
    "    this.#rise(last, last.queueIndex);\n",
    "",
  ),
  fault(
    "the expiry queue compares with the left child alone",
    QUEUE,
    ") child++;",
    ") { /* the left one */ }",
  ),
  fault(
    "what is removed from the expiry queue can be removed again",
    QUEUE,
    "    one.queueIndex = -1;\n",
    "",
  ),
  fault(
    "the tag table breaks a chain at the wrap",
    TAGS,
    ": hole < home || home <= place;",
    ": hole < home && home <= place;",
  ),
  fault(
    "the tag table leaves a hole in a chain",
    TAGS,
    "      hole = place;\n",
    "",
  ),
  fault(
    "the tag table takes one more than it may",
    TAGS,
    "if (this.#size >= this.#entriesMax) return false;",
    "if (this.#size > this.#entriesMax) return false;",
  ),
  fault(
    "the tag table compares half a tag",
    TAGS,
    "(this.#low[place] !== low || this.#high[place] !== high)",
    "this.#low[place] !== low",
  ),
  fault(
    "one level deeper than allowed",
    { ...ADMISSION, test: "caps/kernel/share_test.ts" },
    'if (parent.depth >= depthMax) return "depth";',
    'if (parent.depth > depthMax) return "depth";',
  ),
  fault(
    "a quota of all that is left is refused",
    ADMISSION,
    "if (wanted.quotaPages > parent.pagesLeft)",
    "if (wanted.quotaPages >= parent.pagesLeft)",
  ),
  fault(
    "a port may make one more than its share",
    { ...ADMISSION, test: "caps/kernel/share_test.ts" },
    "share.made >= share.free",
    "share.made > share.free",
  ),
  fault(
    "what has a residual can be derived from",
    { ...ADMISSION, test: "caps/kernel/kernel_test.ts" },
    '  if (parent.residual !== undefined) return "residual";\n',
    "",
  ),
  fault(
    "an observer may send",
    { ...ADMISSION, test: "caps/kernel/kernel_test.ts" },
    "const more = hasRights(wanted.rights, RIGHT_SEND) ||\n      wanted.residual !== undefined;",
    "const more = wanted.residual !== undefined;",
  ),
  fault(
    "a tag is issued twice",
    PORT_TABLES,
    "    this.#entries.delete(node.capability);\n",
    "",
  ),
  fault(
    "a port that was released keeps what it held",
    { ...PORT_TABLES, test: "caps/kernel/kernel_property_test.ts" },
    ".filter((node) => node.port === port);",
    ".filter((node) => node.port === port).slice(1);",
  ),
  fault(
    "a rate of just the limit is refused",
    {
      file: "caps/kernel/rate_limit.ts",
      test: "caps/kernel/rate_limit_test.ts",
    },
    "rate <= RATE_MAX",
    "rate < RATE_MAX",
  ),
  fault(
    "a limit of 0 is none",
    {
      file: "caps/kernel/rate_limit.ts",
      test: "caps/kernel/rate_limit_test.ts",
    },
    "rate > 0 &&",
    "rate >= 0 &&",
  ),
  fault(
    "a tag beyond 64 bits is cut to them",
    { file: "caps/kernel/tag.ts", test: "caps/kernel/tag_test.ts" },
    " || value > 0xffff_ffff_ffff_ffffn",
    "",
  ),
  fault(
    "a quarantined page stays counted as lent",
    LEDGER,
    "      this.#move(frame, QUARANTINED);\n",
    "      this.#state[frame] = QUARANTINED;\n",
  ),
  fault(
    "an extent that was sent is idle as single frames",
    { ...LEDGER, test: "caps/memory/extents_test.ts" },
    "    else this.#idleExtents.push(frame);\n",
    "    else for (let i = 0; i < EXTENT_PAGES; i++) this.#idleExtents.push(frame + i);\n",
  ),
  fault(
    "of an extent in flight only the first page counts",
    { ...LEDGER, test: "caps/memory/extents_test.ts" },
    "  send(frame: number, slot: number): void {\n    const end = frame + this.pagesOf(frame);",
    "  send(frame: number, slot: number): void {\n    const end = frame + 1;",
  ),
  fault(
    "idle frames are looked for from the first on",
    {
      file: "caps/memory/idle_frames.ts",
      test: "caps/memory/idle_frames_test.ts",
    },
    "    let word = this.#word;\n",
    "    let word = 0;\n",
  ),
  fault(
    "a message may have one page more than records",
    { file: "caps/port/submission.ts", test: "caps/port/submission_test.ts" },
    "Array.isArray(pages) && pages.length <= RECORDS_MAX;",
    "Array.isArray(pages);",
  ),
  fault(
    "a record may be shorter than its header",
    { file: "caps/port/submission.ts", test: "caps/port/submission_test.ts" },
    "stride < RECORD_BYTES ||",
    "stride < 8 ||",
  ),
  fault(
    "a record may end behind its string",
    { file: "caps/port/submission.ts", test: "caps/port/submission_test.ts" },
    " || next > STRING_BYTES",
    "",
  ),
  fault(
    "a sleeper of a ring is not woken",
    {
      file: "caps/port/trusted_ring.ts",
      test: "caps/port/trusted_ring_test.ts",
    },
    "    if (load(words, WAITING) === 0) return false;\n",
    "    return false;\n",
  ),
  fault(
    "who goes to sleep misses what was published a moment before",
    {
      file: "caps/port/trusted_ring.ts",
      test: "caps/port/trusted_ring_test.ts",
    },
    "    if (this.available === 0) return true;\n    store(this.words, WAITING, 0);\n    return false;\n",
    "    return true;\n",
  ),
];
