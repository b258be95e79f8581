/** A system's wiring as a graph in the language of Graphviz' dot. */

import type { WiredCapability, WiredPart, Wiring } from "./wiring.ts";
import {
  allowanceWords,
  channelWords,
  partWords,
  printable,
  slotWords,
} from "./words.ts";

/** How much of a filter's words a node shows. */
const FILTER_SHOWN_MAX = 80;

const SHAPES: Readonly<Record<WiredPart["kind"], string>> = {
  system: "box",
  nic: "box3d",
  memory: "cylinder",
  part: "box",
  service: "box",
  receiver: "box",
  interposer: "ellipse",
};

/** The graph: parts are nodes, channels lines, capabilities notes with an arrow from what they were derived from. */
export function wiringDot({ parts, channels, capabilities }: Wiring): string {
  const lines = [
    "digraph sallyport {",
    '  graph [rankdir=LR, fontname="sans-serif"];',
    '  node [fontname="sans-serif"];',
    '  edge [fontname="sans-serif", arrowhead=none];',
    ...parts.map((part) =>
      `  ${quoted(part.name)} [shape=${SHAPES[part.kind]}, label=${
        label([part.name, ...partWords(part)])
      }];`
    ),
    ...channels.map((channel) =>
      `  ${quoted(channel.from)} -> ${quoted(channel.to)} [label=${
        label([channelWords(channel)])
      }];`
    ),
    ...capabilities.flatMap(noteOf),
    "}",
  ];
  return `${lines.join("\n")}\n`;
}

function noteOf(capability: WiredCapability): string[] {
  const { slot, parent, holder, filter } = capability;
  const note = (of: number) => quoted(`capability ${of}`);
  const shown = filter.length > FILTER_SHOWN_MAX
    ? `${filter.slice(0, FILTER_SHOWN_MAX)}…`
    : filter;
  const words = [slotWords(capability), shown, allowanceWords(capability)];
  return [
    `  ${note(slot)} [shape=note, label=${label(words)}];`,
    `  ${quoted(holder)} -> ${note(slot)} [style=dashed];`,
    ...(parent === undefined ? [] : [
      `  ${note(parent)} -> ${note(slot)} [style=dotted, arrowhead=normal];`,
    ]),
  ];
}

/** A quoted string, which nothing in it ends. */
function quoted(text: string): string {
  return `"${escaped(text)}"`;
}

function escaped(text: string): string {
  return printable(text).replaceAll("\\", "\\\\").replaceAll('"', '\\"');
}

/** A quoted label of several lines. */
function label(lines: readonly string[]): string {
  return `"${lines.map(escaped).join("\\n")}"`;
}
