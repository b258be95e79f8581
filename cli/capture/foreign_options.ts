/** tcpdump's options that are not here, and what to do instead. */

import { given } from "../../caps/kernel/given.ts";
import type { ShortOptionSpec } from "../command/short_options.ts";

const INSTEAD: Readonly<Record<string, string>> = {
  B: "packets wait in memory that is always the same; what found no room is told at the end",
  D: "`ip link` lists the interfaces; name one with its driver, as packet:eth1 (--help lists the kinds)",
  E: "nothing is decrypted here: write a capture with -w, and read that with tcpdump -E",
  I: "put the interface into monitor mode with `iw`; captures of 802.11 are not printed",
  J: "times are the kernel's where the NIC has them, else those of the reading",
  L: "Ethernet is the only link type of NICs",
  M: "no TCP signature is checked here: write a capture with -w, and read that with tcpdump -M",
  N: "names are never looked up",
  R: "leave it out: such packets are not printed",
  T: "nothing is read as another protocol: write a capture with -w, and read that with tcpdump -T",
  V: "give one -r at a time, or join the files with mergecap",
  Z: "run it as the user that is to own the file: permissions are given up anyway",
  b: "BGP is not printed",
  d: "`sallyport compile FILTER` prints what a filter becomes",
  f: "names are never looked up",
  j: "times are the kernel's where the NIC has them, else those of the reading",
  m: "no MIB is read here",
  p: "a NIC here receives for every Ethernet address; filter `ether host MAC or ether multicast`",
  u: "handles are not printed",
  y: "Ethernet is the only link type of NICs",
  z: "no program is run here: watch the folder, or call it after -W files",
};

/** The long names that tcpdump(1) has for some of them. */
const NAMES: Readonly<Record<string, string>> = {
  B: "buffer-size",
  D: "list-interfaces",
  I: "monitor-mode",
  J: "list-time-stamp-types",
  L: "list-data-link-types",
  Z: "relinquish-privileges",
  j: "time-stamp-type",
  p: "no-promiscuous-mode",
  y: "linktype",
};

/** Long names that have no letter. */
const NAMED_INSTEAD: Readonly<Record<string, string>> = {
  lengths: "-e prints the length of each frame",
  print: "write with -w, and print that file with -r",
  skip: "print them all, or cut the file with editcap",
  version: "`sallyport --version` says it",
};

/** Options that are refused with what to do instead. */
export const FOREIGN_OPTIONS: readonly ShortOptionSpec[] = [
  ...Object.entries(INSTEAD).map(([letter, instead]) => ({
    letter,
    ...given({ name: NAMES[letter] }),
    instead,
    help: "",
  })),
  ...Object.entries(NAMED_INSTEAD).map(([name, instead]) => ({
    name,
    instead,
    help: "",
  })),
];
