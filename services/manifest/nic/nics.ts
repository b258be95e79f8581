/**
 * The kinds of NIC that a manifest can name, as `xdp:veth0`. A new one is a file
 * beside this, a word in the list, and its driver in services/system/driver/drivers.ts.
 */

import { emulated } from "./emulated.ts";
import type { NamedNic, NicKind, NicProblem } from "./kind.ts";
import { packet } from "./packet.ts";
import { pcap } from "./pcap.ts";
import { tap, tun } from "./tap.ts";
import { udp } from "./udp.ts";
import { wire } from "./wire.ts";
import { xdp } from "./xdp.ts";

/** All kinds, in the order in which people read of them. */
export const NIC_KINDS = [
  emulated,
  wire,
  xdp,
  packet,
  tap,
  tun,
  pcap,
  udp,
] as const;

/** A NIC that was named. */
export type NicChoice = Parameters<typeof NIC_KINDS[number]["format"]>[0];

/** Kinds of NIC, looked up by name. */
export class NicTable {
  /** The ways to name a NIC: `emulated, wire:NAME or …`. */
  readonly forms: string;
  readonly #kinds: ReadonlyMap<string, NicKind>;

  /** The names of `kinds` have to differ. */
  constructor(kinds: readonly NicKind[]) {
    this.#kinds = new Map(kinds.map((kind) => [kind.kind, kind]));
    const forms = kinds.map(({ form }) => form);
    this.forms = `${forms.slice(0, -1).join(", ")} or ${forms.at(-1)}`;
  }

  /** The kind of a NIC that {@link read} has read. */
  kindOf(nic: NamedNic): NicKind {
    return this.#kinds.get(nic.kind)!;
  }

  /** Reads the name of a NIC. Returns what is wrong with it when it is none. */
  read(text: string): NicChoice | NicProblem {
    const colon = text.indexOf(":");
    const kind = this.#kinds.get(colon < 0 ? text : text.slice(0, colon));
    if (kind === undefined || (colon >= 0 && !kind.form.includes(":"))) {
      return { problem: `expected ${this.forms}` };
    }
    const rest = text.slice(kind.kind.length + 1);
    // A table of other kinds reads other choices; its users know which.
    return kind.read(rest) as NicChoice | NicProblem;
  }

  /** Writes the name of a NIC, as {@link read} reads it. */
  format(nic: NamedNic): string {
    const kind = this.kindOf(nic);
    return kind.form.includes(":")
      ? `${kind.kind}:${kind.format(nic)}`
      : kind.kind;
  }
}

/** The table of {@link NIC_KINDS}. */
export const NICS: NicTable = new NicTable(NIC_KINDS);
