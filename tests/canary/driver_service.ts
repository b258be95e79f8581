/** Faults in the driver service. */

import { type Fault, fault } from "./fault.ts";

const SUBMITTER = {
  file: "drivers/service/submitter.ts",
  test: "drivers/service/service_test.ts",
};
const SWAP = {
  file: "drivers/service/swap_deliverer.ts",
  test: "drivers/service/service_test.ts",
};
const TRUSTED = {
  file: "drivers/service/trusted_deliverer.ts",
  test: "drivers/service/trusted_delivery_test.ts",
};
const RETURNS = {
  file: "drivers/service/trusted_returns.ts",
  test: "drivers/service/trusted_delivery_test.ts",
};
const SERVICE = {
  file: "drivers/service/service.ts",
  test: "drivers/service/ending_test.ts",
};
const ACCOUNTS = {
  file: "drivers/service/account_table.ts",
  test: "drivers/service/ending_test.ts",
};
const SENDS = {
  file: "drivers/service/send_batch.ts",
  test: "drivers/service/wire_size_test.ts",
};
const QUOTA = {
  file: "drivers/service/page_quota.ts",
  test: "drivers/service/page_quota_test.ts",
};
const METER = {
  file: "drivers/service/meter.ts",
  test: "drivers/service/rate_limit_test.ts",
};
const PENALTY = {
  file: "drivers/service/penalty.ts",
  test: "drivers/service/penalty_test.ts",
};
const TRANSMITTER = {
  file: "drivers/service/transmitter.ts",
  test: "drivers/service/segments_test.ts",
};

/** All of them. */
export const DRIVER_SERVICE_FAULTS: readonly Fault[] = [
  fault(
    "of an extent only the first page is wiped",
    { ...SWAP, test: "model/model_test.ts" },
    "start + pages * PAGE_BYTES);",
    "start + PAGE_BYTES);",
  ),
  fault(
    "what lies before a packet is not wiped",
    { ...SWAP, filter: "a page shows nothing" },
    "    this.#bytes.fill(0, start, offset);\n",
    "",
  ),
  fault(
    "a packet that has no byte string keeps its page",
    { ...SWAP, test: "drivers/service/behind_test.ts" },
    "    if (!this.#strings.room(account, RECORD_BYTES)) {\n      this.#ledger.putIdle(frame);\n",
    "    if (!this.#strings.room(account, RECORD_BYTES)) {\n",
  ),
  fault(
    "a trusted holder's extent costs one page",
    { ...TRUSTED, filter: "an extent costs" },
    "    account.pages.hold(pages);\n",
    "    account.pages.hold(1);\n",
  ),
  fault(
    "a trusted holder's ring may be overrun",
    { ...TRUSTED, test: "drivers/service/trusted_borders_test.ts" },
    "side.out === RING_ENTRIES || ",
    "",
  ),
  fault(
    "what a trusted holder gives back is never out of its ring's count",
    { ...RETURNS, test: "drivers/service/trusted_borders_test.ts" },
    "    holder.trusted!.out--;\n",
    "",
  ),
  fault(
    "a trusted holder may send from the middle of its extent",
    { ...RETURNS, test: "drivers/service/trusted_borders_test.ts" },
    " || !ledger.isFirst(frame)",
    "",
  ),
  fault(
    "a trusted holder gives back what is another's",
    { ...RETURNS, filter: "no frame is taken" },
    "lender?.holder !== holder || ",
    "",
  ),
  fault(
    "runs of pages join capabilities",
    {
      file: "drivers/service/frame_runs.ts",
      test: "drivers/service/frame_runs_test.ts",
    },
    " && this.#slots[last] === slot",
    "",
  ),
  fault(
    "a run is one page longer than allowed",
    {
      file: "drivers/service/frame_runs.ts",
      test: "drivers/service/frame_runs_test.ts",
    },
    "sofar < runPagesMax",
    "sofar <= runPagesMax",
  ),
  fault(
    "a frame may begin beyond its extent's first page",
    { ...SUBMITTER, filter: "begins beyond" },
    "const room = within < PAGE_BYTES ? size * PAGE_BYTES - within : 0;",
    "const room = size * PAGE_BYTES - within;",
  ),
  fault(
    "a record's own header is the frame's place",
    {
      ...SUBMITTER,
      test: "drivers/service/sending_test.ts",
      filter: "record's own header",
    },
    "const room = start < RECORD_BYTES ? 0 : view.stride(at) - start;",
    "const room = view.stride(at) - start;",
  ),
  fault(
    "a frame that was given back once is sent twice",
    { ...SUBMITTER, filter: "pages that lie side by side" },
    "    this.#returned.take(frame);\n",
    "",
  ),
  fault(
    "pages of a message that gave them back are never idle",
    { ...SUBMITTER, test: "drivers/service/page_runs_test.ts" },
    "    this.#returned.putIdle(this.#parts.ledger);\n",
    "",
  ),
  fault(
    "a page of an extent's length is sent as one page",
    { ...SUBMITTER, filter: "begins beyond" },
    "const size = ledger.pagesOf(frame);",
    "const size = 1;",
  ),
  fault(
    "a super-packet without a page takes one page",
    {
      ...SUBMITTER,
      test: "drivers/service/segments_test.ts",
      filter: "takes one page",
    },
    "length > PAGE_BYTES - HEADROOM_BYTES ? EXTENT_PAGES : 1;",
    "length > PAGE_BYTES ? EXTENT_PAGES : 1;",
  ),
  fault(
    "a frame without tags may be as long as one with two",
    SENDS,
    "wish === 0 && isTooLong(",
    "wish === 0 && length > wireBytesMax + TAGS_BYTES_MAX && isTooLong(",
  ),
  fault(
    "a frame that is too long for the wire is a strike",
    SENDS,
    '    if (length > longest) {\n      sender.drops.add("send-too-large");',
    '    if (length > longest) {\n      holder.strike("send-too-large");',
  ),
  fault(
    "what goes out is not charged to the rate limit",
    {
      ...SENDS,
      test: "drivers/service/rate_limit_test.ts",
      filter: "has a rate of its own",
    },
    "    meters.sent.charge(length);\n",
    "",
  ),
  fault(
    "a super-packet's segments come on top of its own page",
    TRANSMITTER,
    "    sender.pages.release(this.#ledger.pagesOf(frame));\n    for (",
    "    for (",
  ),
  fault(
    "a frame that does not go out costs its page for good",
    { ...TRANSMITTER, test: "model/model_test.ts" },
    "    sender.drops.add(reason);\n    sender.pages.release(this.#ledger.pagesOf(frame));\n",
    "    sender.drops.add(reason);\n",
  ),
  fault(
    "a datagram is cut otherwise than its sender wants",
    TRANSMITTER,
    "gso === GSO_UDP ? wanted : Math.min(wanted, most);",
    "Math.min(wanted, most);",
  ),
  fault(
    "segments that the NIC makes itself are to fit a page",
    TRANSMITTER,
    "(whole ? wireBytes : Math.min(wireBytes, SEGMENT_BYTES_MAX)) -",
    "Math.min(wireBytes, SEGMENT_BYTES_MAX) -",
  ),
  fault(
    "a rate limit counts all segments as one packet",
    { ...TRANSMITTER, filter: "a rate limit" },
    "    sender.meters?.sent.charge((count - 1) * (payload - start), count - 1);\n",
    "",
  ),
  fault(
    "a rate limit has no room for a super-packet, ever",
    {
      ...TRANSMITTER,
      file: "drivers/service/send_batch.ts",
      filter: "a rate limit",
    },
    "const firstBytes = Math.min(length, wireBytesMax);",
    "const firstBytes = length;",
  ),
  fault(
    "a kernel gets more datagrams in one packet than it takes",
    { ...TRANSMITTER, filter: "one more is the driver's" },
    "<= UDP_SEGMENTS_MAX);",
    "> 0);",
  ),
  fault(
    "detach without draining",
    { ...SERVICE, filter: "before it was detached" },
    "    this.#reader.drain(holder);\n    this.#deliverer",
    "    this.#deliverer",
  ),
  fault(
    "an heir is looked for one step up",
    ACCOUNTS,
    "    while (at !== SLOT_NONE) {\n      const account = accounts[at];",
    "    for (let step = 0; step < 2; step++) {\n      const account = accounts[at];",
  ),
  fault(
    "what was never opened has no heir",
    ACCOUNTS,
    "account?.fallback ?? this.#unopened[at] ?? SLOT_NONE",
    "account?.fallback ?? SLOT_NONE",
  ),
  fault(
    "what was never opened has the heir of whoever had its slot",
    ACCOUNTS,
    "    this.accounts[spec.slot] = undefined;\n",
    "",
  ),
  fault(
    "a later capability's heir takes the packets of the one before",
    ACCOUNTS,
    "account.fallback ??= fallback;",
    "account.fallback = fallback;",
  ),
  fault(
    "an observer that was revoked goes on",
    { ...ACCOUNTS, filter: "observer that was revoked" },
    "    this.observers.delete(account);\n",
    "",
  ),
  fault(
    "what is under way when a capability ends costs its holder strikes",
    {
      ...ACCOUNTS,
      test: "drivers/service/penalty_test.ts",
      filter: "comes back at no cost",
    },
    "      account.holder.excuse();\n",
    "",
  ),
  fault(
    "the counts of revoked capabilities are lost",
    { ...ACCOUNTS, test: "drivers/service/account_test.ts" },
    "      this.#ended.add(account);\n",
    "",
  ),
  fault(
    "a quota that comes late opens what was closed",
    QUOTA,
    "  set(quota: number): void {\n    if (this.#closed) return;\n",
    "  set(quota: number): void {\n",
  ),
  fault(
    "a closed quota keeps its entitlement",
    QUOTA,
    "    this.#entitlements.pages -= this.#quota - this.held;\n",
    "",
  ),
  fault(
    "the NIC takes frames that holders are entitled to",
    {
      file: "drivers/service/supply.ts",
      test: "drivers/service/supply_test.ts",
    },
    "Math.max(this.#keptBackMin, entitled)",
    "this.#keptBackMin",
  ),
  fault(
    "frames that a full ring did not take are lost",
    {
      file: "drivers/service/supply.ts",
      test: "drivers/service/supply_test.ts",
    },
    "    for (let i = taken; i < count; i++) ledger.putIdle(this.#frames[i]!);\n",
    "",
  ),
  fault(
    "the limit above is not asked",
    METER,
    "this.#above === undefined || this.#above.admits(lengthBytes, nowMs)",
    "true",
  ),
  fault(
    "the limit above is not charged",
    METER,
    "    this.#above?.charge(lengthBytes, packets);\n",
    "",
  ),
  fault(
    "an allowance grows without an end",
    METER,
    "grown < this.#burst ? grown : this.#burst;",
    "grown;",
  ),
  fault(
    "a rate is taken for one in a millisecond",
    METER,
    "this.#perMs = perSecond / 1000;",
    "this.#perMs = perSecond;",
  ),
  fault(
    "pauses do not grow",
    { ...PENALTY, filter: "a pause is never longer" },
    "    if (pauseMs < PAUSE_MS_MAX) this.#doublings++;\n",
    "",
  ),
  fault(
    "pauses are never forgiven",
    { ...PENALTY, filter: "a pause is never longer" },
    "return Math.floor((nowMs - this.#lastMs) / FORGIVE_MS);",
    "return 0;",
  ),
  fault(
    "a holder is cut off one strike late",
    {
      file: "drivers/service/holder.ts",
      test: "drivers/service/strikes_test.ts",
    },
    "return this.#strikes >= STRIKES_MAX;",
    "return this.#strikes > STRIKES_MAX;",
  ),
  fault(
    "one message more than there are byte strings is no flood",
    {
      file: "drivers/service/port_reader.ts",
      test: "drivers/service/service_test.ts",
      filter: "more under way",
    },
    "    if (count === limits.inFlightMax && port.take() !== undefined) {\n      holder.flooded = true;\n    }\n",
    "",
  ),
  fault(
    "a table is patched beyond its end",
    {
      file: "drivers/service/classifier.ts",
      test: "drivers/service/classifier_test.ts",
    },
    "offset >= TABLES_BYTES || ",
    "",
  ),
];
