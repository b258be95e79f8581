/**
 * Ways to break the system, one invariant each: a text in a source file, and
 * what stands there instead. The model must notice every one.
 */

import { type Mutation, mutation } from "./mutation.ts";

const KERNEL = "caps/kernel/kernel.ts";
const ADMISSION = "caps/kernel/admission.ts";
const FILTER = "services/filter/service/service.ts";
const DRIVER = "drivers/service/service.ts";
const ORDERS = "drivers/service/order_taker.ts";
const ACCOUNTS = "drivers/service/account_table.ts";
const SUBMIT = "drivers/service/submitter.ts";
const SENDS = "drivers/service/send_batch.ts";
const TRANSMITTER = "drivers/service/transmitter.ts";
const LEDGER = "caps/memory/page_ledger.ts";

/** All of them. */
export const MUTATIONS: readonly Mutation[] = [
  mutation(
    "revoke forgets grandchildren",
    KERNEL,
    "for (const child of node.children) ended.push(child);",
    "",
  ),
  mutation(
    "grants that share the ends of their port ranges do not overlap",
    "services/filter/grant/overlap.ts",
    "return low <= high ? { low, high } : NONE;",
    "return low < high || a.low === b.low ? { low, high } : NONE;",
  ),
  mutation(
    "siblings may overlap",
    ADMISSION,
    'return parent.taken?.overlaps(wanted.grant) ? "overlap" : undefined;',
    "return undefined;",
  ),
  mutation(
    "one port may take all capabilities",
    ADMISSION,
    'if (!share.isRoot && share.made >= share.free) return "share";',
    "",
  ),
  mutation(
    "nothing is kept for the root's holder",
    KERNEL,
    "const kept = isRoot ? 0 : capabilitiesKept;",
    "const kept = 0;",
  ),
  {
    name: "a page is taken twice",
    edits: [
      {
        file: LEDGER,
        from: "return state === LENT || state === QUARANTINED ? ",
        to: "return state !== undefined ? ",
      },
      {
        file: LEDGER,
        from: `      this.#move(at, FREE);
      this.#slot[at] = 0;
    }
  }

  /** lent or quarantined → free and idle`,
        to: `      this.#move(at, FREE);
    }
  }

  /** lent or quarantined → free and idle`,
      },
      {
        file: LEDGER,
        from:
          "if (state !== LENT && state !== QUARANTINED) this.#expect(at, LENT);",
        to: "",
      },
      {
        file: "drivers/kit/loans.ts",
        from: "return this.#pages[frame] ?? 0;",
        to: "return this.#pages[frame] || 1;",
      },
    ],
  },
  mutation(
    "any buffer is taken for a page",
    SUBMIT,
    "? exchange.accept(frame, page) : 0;",
    "? exchange.accept(frame, page) || 1 : 0;",
  ),
  mutation(
    "a page is taken from whoever has its number",
    SUBMIT,
    "lender?.holder === holder",
    "lender !== undefined",
  ),
  mutation(
    "a page that came back counts on",
    ACCOUNTS,
    "    account.pages.release(pages);\n",
    "",
  ),
  mutation(
    "rights are not narrowed",
    ADMISSION,
    'if (!hasRights(parent.rights, wanted.rights)) return "right";',
    "",
  ),
  mutation(
    "quotas are not carved out",
    KERNEL,
    "parent.pagesLeft -= node.quotaPages;",
    "",
  ),
  mutation(
    "a quota comes back while its pages are out",
    ORDERS,
    "if (account === undefined || account.pages.held === 0) drained.push(slot);",
    "drained.push(slot);",
  ),
  mutation(
    "what is carved out can be had while the parent holds it",
    "drivers/service/page_quota.ts",
    "if (up.held > up.#quota) return false;",
    "",
  ),
  mutation(
    "the filter service takes a tag on any port",
    "caps/kernel/port_tables.ts",
    "return node?.port === port ? node : undefined;",
    "return node;",
  ),
  mutation(
    "the driver takes a tag on any port",
    ACCOUNTS,
    "account?.holder === holder && account.live",
    "account?.live",
  ),
  mutation(
    "what may be sent is not narrowed",
    KERNEL,
    ": this.#algebra.intersect(parent.sends, sends);",
    ": sends;",
  ),
  mutation(
    "what is sent is not checked",
    SENDS,
    "const permitted = batch.slot[i] === sender.spec.slot;",
    "const permitted = sender.spec.slot !== 0;",
  ),
  mutation(
    "who may not send, sends",
    SENDS,
    "if (!hasRights(sender.spec.rights, RIGHT_SEND)) {",
    "if (sender.spec.slot === 0) {",
  ),
  mutation(
    "a dead holder's pages are used at once",
    DRIVER,
    "this.#ledger.quarantine(account.spec.slot);",
    `for (let frame = 0; frame < 64; frame++) {
        if (this.#ledger.lentTo(frame) !== account.spec.slot) continue;
        this.#ledger.takeBack(frame);
        this.#ledger.putIdle(frame);
      }`,
  ),
  mutation(
    "what a dead holder had lives on",
    FILTER,
    "await this.#end(this.#options.kernel.releasePort(id));",
    "await this.#end([]);",
  ),
  mutation(
    "what has expired goes on",
    FILTER,
    "void this.#end(kernel.expire(clock.now())).then(() => this.#tidy());",
    "kernel.expire(clock.now());",
  ),
  mutation(
    "revoke returns before the driver knows",
    FILTER,
    `const revoked = this.#calls.ask((id) =>
      void driver.post({ kind: "revoke", id, ended: pairs })
    );`,
    `const revoked = Promise.resolve();
    setTimeout(() => driver.post({ kind: "revoke", id: -1, ended: pairs }));`,
  ),
  mutation(
    "a page shows what was in it before",
    "drivers/service/swap_deliverer.ts",
    "this.#clean(frame, pages, offset, length);",
    "",
  ),
  mutation(
    "an observer sees more than what it was derived from",
    KERNEL,
    "observes = this.#algebra.intersect(observes, up.grant);",
    "",
  ),
  mutation(
    "close ends what was derived before",
    KERNEL,
    "    node.closed = true;\n",
    "    node.closed = true;\n    this.#endAll([...node.children]);\n    node.children.clear();\n",
  ),
  mutation("what is closed goes on", KERNEL, "    node.closed = true;\n", ""),
  mutation(
    "a residual is ignored",
    "services/filter/service/compilation.ts",
    "...given({ residual }),",
    "",
  ),
  mutation(
    "deriving for others needs no right",
    KERNEL,
    ": RIGHT_DERIVE | RIGHT_DELEGATE;",
    ": RIGHT_DERIVE;",
  ),
  mutation(
    "what a sender asks for is not heard",
    SENDS,
    "? offloadWord(CHECKSUM_PARTIAL, GSO_NONE, segmentBytes)",
    "? 0",
  ),
  mutation(
    "any word asks for a checksum",
    SENDS,
    "return checksumOf(offload) === CHECKSUM_PARTIAL || segmentBytes > 0",
    "return offload > 0",
  ),
  mutation(
    "who asks for a checksum may send what is longer than the wire takes",
    TRANSMITTER,
    "isTooLong(wireBytesMaxOf(this.#info), this.#bytes, offset, length)",
    "length === 0",
  ),
  mutation(
    "what a super-packet may be longer than is every frame",
    SENDS,
    "const longest = segmentBytesOf(wish) > 0",
    "const longest = wish > 0 || length > 0",
  ),
  mutation(
    "what is no datagram goes out as it is, whatever is asked",
    TRANSMITTER,
    'return this.drop(sender, "send-not-completable", offset);',
    "return this.put(sender, offset, length);",
  ),
  mutation(
    "a checksum that is to be completed is not",
    TRANSMITTER,
    "      this.#checksums.complete(packet);\n",
    "",
  ),
  mutation(
    "segments may be longer than the wire takes",
    TRANSMITTER,
    "if (segmentBytes > most || segmentBytes <= 0) {",
    "if (segmentBytes <= 0) {",
  ),
  mutation(
    "a frame becomes any number of segments",
    TRANSMITTER,
    "if (count > SEGMENTS_MAX) {",
    "if (count > 260) {",
  ),
  mutation(
    "segments cost no quota",
    TRANSMITTER,
    "    if (!sender.pages.mayHold(1)) return false;\n",
    "",
  ),
  mutation(
    "what became segments is charged on",
    TRANSMITTER,
    "    sender.pages.release(this.#ledger.pagesOf(frame));\n    for (",
    "    for (",
  ),
  mutation(
    "segments that found no page count as one",
    TRANSMITTER,
    'sender.drops.add("send-no-page", count - i);',
    'sender.drops.add("send-no-page");',
  ),
  mutation(
    "a NIC that makes segments gets them one by one",
    TRANSMITTER,
    "    if (whole) {\n",
    "    if (count === 0) {\n",
  ),
  mutation(
    "a NIC is told nothing of the segments that it is to make",
    TRANSMITTER,
    "      return this.put(sender, start, end - start, word);",
    "      return this.put(sender, start, end - start, word & 0xff);",
  ),
  mutation(
    "a holder is told nothing of a packet that is copied to it",
    "drivers/service/copy_deliverer.ts",
    "writer.addInline(open.placeOf(account), length, offload);",
    "writer.addInline(open.placeOf(account), length, 0);",
  ),
  mutation(
    "a holder is told nothing of a packet that it gets in a page",
    "drivers/service/swap_deliverer.ts",
    "writer.addPage(open.placeOf(account), length, first, start, run, offload);",
    "writer.addPage(open.placeOf(account), length, first, start, run, 0);",
  ),
];
