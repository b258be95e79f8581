/** The options of `sallyport capture`, and what `--help` prints. */

import {
  describeShortOptions,
  SHORT_HELP,
  type ShortOptionSpec,
} from "../command/short_options.ts";

/** All options: tcpdump's letters. */
export const CAPTURE_OPTIONS: readonly ShortOptionSpec[] = [
  {
    letter: "r",
    value: "FILE",
    help: "read a capture, gzip too; - is standard input",
  },
  { letter: "i", value: "NIC", help: "take packets from a NIC, see below" },
  {
    letter: "w",
    value: "FILE",
    help: "write the packets instead of printing them; - is standard output. " +
      "pcapng when FILE ends in .pcapng, else pcap",
  },
  { letter: "F", value: "FILE", help: "read the filter from a file" },
  { letter: "c", value: "N", help: "end after N packets that match" },
  { name: "count", help: 'print "N packets matched of M" and nothing else' },
  {
    letter: "s",
    name: "snapshot-length",
    value: "N",
    help: "keep the first N bytes of each packet; 0 for all",
  },
  {
    letter: "C",
    value: "SIZE",
    help: "begin another file above SIZE million bytes, or with k, m, g",
  },
  {
    letter: "G",
    value: "SECONDS",
    help: "begin another file after SECONDS; FILE has the time in it, as %F-%T",
  },
  {
    letter: "W",
    value: "N",
    help: "with -C: N files in turn; with -G: end after N files",
  },
  {
    letter: "Q",
    name: "direction",
    value: "in",
    help: "what arrives: always so",
  },
  { letter: "e", help: "the link's header too" },
  { letter: "#", name: "number", help: "number the lines" },
  { letter: "q", name: "quick", help: "say less of each packet" },
  {
    letter: "t",
    repeats: true,
    help: "no times; -tt: seconds since 1970; -ttt: since the packet before; " +
      "-tttt: the date too; -ttttt: since the first",
  },
  { name: "nano", help: "times in nanoseconds (in files where they come so)" },
  { name: "micro", help: "times in microseconds, also in files" },
  {
    letter: "x",
    repeats: true,
    help: "the bytes after the link's header, in hex; -xx: from it on",
  },
  { letter: "X", repeats: true, help: "the same, in hex and ASCII" },
  { letter: "A", repeats: true, help: "the same, as text" },
  { letter: "l", help: "write each line at once" },
  {
    letter: "U",
    name: "packet-buffered",
    help: "write each packet to FILE at once",
  },
  {
    letter: "n",
    repeats: true,
    help: "numbers instead of names: always so, no name is ever looked up",
  },
  {
    letter: "v",
    repeats: true,
    help: "more words: there is one line a packet; -e, -x and -X say more",
  },
  { name: "immediate-mode", help: "packets as they come: always so" },
  { letter: "K", help: "believe checksums: always so, none is checked" },
  { letter: "S", help: "numbers of TCP as they are: always so" },
  { letter: "O", help: "a filter that is not optimised: always so" },
  SHORT_HELP,
];

/** Longer names of options above. */
export const OTHER_NAMES: readonly ShortOptionSpec[] = [
  {
    name: "time-stamp-precision",
    value: "nano|micro",
    help: "the same as --nano, --micro",
  },
  { letter: "i", name: "interface", value: "NIC", help: "" },
  { letter: "K", name: "dont-verify-checksums", help: "" },
  { letter: "S", name: "absolute-tcp-sequence-numbers", help: "" },
  { letter: "O", name: "no-optimize", help: "" },
];

/** What `capture --help` prints. */
export const CAPTURE_HELP: string = [
  "usage: sallyport capture -r FILE|-i NIC [OPTION…] [FILTER…]",
  "",
  "Prints one line for each packet that the filter matches, in tcpdump's manner.",
  "The filter is the rest of the line, in the language of pcap-filter(7):",
  "  sallyport capture -r trace.pcap tcp dst port 443 and not src net 10.0.0.0/8",
  "  sallyport capture -i packet:eth1 -w - | wireshark -k -i -",
  "",
  "options:",
  ...describeShortOptions(CAPTURE_OPTIONS),
  "",
  "NICs:",
  "  emulated     an in-memory wire with a peer on it that nobody answers",
  "  wire:NAME,peer",
  "               the same, on a wire that may lose frames: wire:lab,peer,loss=0.1",
  "  udp:LOCAL,PEER,key=FILE",
  "               a tunnel to another host: udp:10.0.0.1:4789,10.0.0.2:4789,key=k",
  "  pcap:FILE    a capture that is replayed, as it was recorded",
  "  tap:NAME     what a kernel sends into a TAP of that name (root); tun:NAME too",
  "  xdp:IFNAME   a Linux interface through AF_XDP (root): the frames to Sallyport's",
  "               own address, 02:53:0a:4d:00:02. What the kernel keeps is not seen:",
  "               XDP takes packets or leaves them, it cannot copy them.",
  "  packet:IFNAME  a Linux interface through a packet socket (root): every frame",
  "               that arrives, the kernel's too; not what this machine sends.",
  "",
  "Ctrl-C ends it with the counts. Exit status: 0 it ended as it was told to, or the",
  "capture did, also within its last packet (a warning says so); 1 failed; 2 the",
  "options or the filter were not understood.",
  "",
].join("\n");
