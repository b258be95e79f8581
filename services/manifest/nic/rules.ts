/** What a manifest may say of its NIC, whichever that is. */

import { showValue } from "../../fields/show_value.ts";
import type { Complain } from "../error.ts";
import type { NamedNic } from "./kind.ts";
import type { NicTable } from "./nics.ts";

/** The fields of a manifest that not every NIC has. */
interface NicFields {
  readonly nic: NamedNic;
  readonly unclaimed?: string | undefined;
  readonly write?: string | undefined;
  readonly recover?: boolean | undefined;
  readonly busyPoll?: number | undefined;
}

/** Complains of what this NIC does not have. */
export function checkNic(
  fields: NicFields,
  nics: NicTable,
  complain: Complain,
): void {
  const { nic, write, recover, busyPoll } = fields;
  const kind = nics.kindOf(nic);
  const name = nics.format(nic);
  if (recover === true && kind.kernel === undefined) {
    complain(
      ["recover"],
      `expected false: ${name} is no interface that comes back`,
    );
  }
  if (recover === true && write !== undefined) {
    complain(
      ["recover"],
      "expected false: a capture that is written would begin again, over what was captured",
    );
  }
  if (busyPoll !== undefined && kind.polled !== true) {
    complain(["busyPoll"], `expected nothing: ${name} is not polled`);
  }
  checkUnclaimed(fields, nics, complain);
  const reads = kind.reads?.(nic);
  if (reads !== undefined && reads.path === write) {
    complain(
      ["write"],
      `expected another file than ${reads.what}, got ${showValue(write)}`,
    );
  }
}

function checkUnclaimed(
  { nic, unclaimed }: NicFields,
  nics: NicTable,
  complain: Complain,
): void {
  const kind = nics.kindOf(nic);
  const name = nics.format(nic);
  if (unclaimed === "drop" && kind.kernel === "copies") {
    const other = kind.dropsOn?.(nic);
    const hint = other === undefined ? "" : `; ${other} can drop them`;
    complain(
      ["unclaimed"],
      `expected "kernel": beside ${name} the kernel has its own copy of every packet${hint}`,
    );
  }
  if (unclaimed === "kernel" && kind.kernel === undefined) {
    complain(
      ["unclaimed"],
      `expected "drop": behind ${name} there is no kernel`,
    );
  }
}
