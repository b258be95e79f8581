/** A system's wiring as lines of text. */

import type { WiredCapability, Wiring } from "./wiring.ts";
import {
  allowanceWords,
  channelWords,
  partWords,
  printable,
  slotWords,
} from "./words.ts";

/**
 * The lines of a wiring, each with its end: parts with where they run and what
 * they may do, channels between them, and capabilities under those that they
 * were derived from.
 */
export function wiringText({ parts, channels, capabilities }: Wiring): string {
  const width = Math.max(...parts.map(({ name }) => name.length));
  const lines = [
    "parts",
    ...parts.map((part) =>
      `  ${part.name.padEnd(width)}  ${partWords(part).join("; ")}`.trimEnd()
    ),
    "",
    "channels",
    ...channels.map((channel) =>
      `  ${channel.from} -- ${channelWords(channel)} -- ${channel.to}`
    ),
    "",
    "capabilities",
    ...treeOf(capabilities),
  ];
  return lines.map((line) => `${printable(line)}\n`).join("");
}

/** Each behind its parent: the filter service tells them in this order. */
function treeOf(capabilities: readonly WiredCapability[]): string[] {
  const depths = new Map<number, number>();
  return capabilities.map((capability) => {
    const { slot, parent, holder, port, filter } = capability;
    const depth = parent === undefined ? 1 : (depths.get(parent) ?? 0) + 1;
    depths.set(slot, depth);
    const whose = `${holder}, port ${port}`;
    return `${"  ".repeat(depth)}${slotWords(capability)} of ${whose}: ${
      allowanceWords(capability)
    }: ${filter}`;
  });
}
