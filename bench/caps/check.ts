/** What the packet path does to see that a capability is live, without the rest of it. */

import { PLAIN_LIMITS } from "../../caps/driver/messages.ts";
import {
  BATCH_MAX,
  batchAt,
  makePacketMemory,
  RECEIVE_BATCH_OFFSET,
} from "../../caps/memory/memory.ts";
import { makePipe } from "../../caps/port/port.ts";
import type { Delivery } from "../../caps/port/records.ts";
import { RIGHT_RECEIVE } from "../../caps/kernel/rights.ts";
import { TagGenerator } from "../../caps/kernel/tag.ts";
import { AccountTable } from "../../drivers/service/account_table.ts";
import { Classifier } from "../../drivers/service/classifier.ts";
import { Holder } from "../../drivers/service/holder.ts";

/** Packets of one call. */
export const CHECKED = BATCH_MAX;

/**
 * With `live` capabilities: looks the tag of each packet of a batch up, as it
 * was found in front of it, and finds the account that it is. Where packet
 * memory is classified it is less: the slot is known, and no tag is looked up.
 */
export function makeCheck(live: number): () => void {
  const memory = makePacketMemory(16);
  const table = new AccountTable(1514, () => {});
  const tags = new TagGenerator((out) => crypto.getRandomValues(out));
  const [, port] = makePipe<unknown, Delivery>();
  const holder = new Holder(1, port, PLAIN_LIMITS);
  const batch = batchAt(memory, RECEIVE_BATCH_OFFSET);
  for (let slot = 1; slot <= live; slot++) {
    const { low: tagLow, high: tagHigh } = tags.next();
    const limits = { quotaPages: 1, copyBytesMax: 2048 };
    const named = { slot, tagLow, tagHigh, port: 1, rights: RIGHT_RECEIVE };
    table.open({ ...named, ...limits }, holder);
    // The last ones are the packets': anywhere in the table.
    batch.tagLow[slot % CHECKED] = tagLow;
    batch.tagHigh[slot % CHECKED] = tagHigh;
  }
  const classifier = new Classifier(memory, table.tags);
  return () => {
    classifier.believeTags(batch, CHECKED);
    for (let i = 0; i < CHECKED; i++) {
      if (table.ownerOf(batch.slot[i]!)?.live !== true) {
        throw new Error("caps: a live capability was not found");
      }
    }
  };
}
