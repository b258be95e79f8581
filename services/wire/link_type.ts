/** A link type of captures (https://www.tcpdump.org/linktypes.html). */
export type LinkType = "ethernet" | "raw" | "sll" | "sll2" | "null" | "loop";
