import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import type { TreeNode } from "../../../../services/filter/tree/node.ts";
import {
  arp,
  either,
  ipv4,
} from "../../../../services/filter/grant/builder.ts";
import { compileText } from "../../../../services/filter/language/compile.ts";
import { lowerGrant } from "../../../../services/filter/tree/lower.ts";
import { printAtoms } from "../../../../services/filter/tree/print_atoms.ts";
import { printDot } from "../../../../services/filter/tree/print_dot.ts";
import { printDecisionTree } from "../../../../services/filter/tree/print_tree.ts";
import { mergeTree } from "../../../../services/filter/tree/merge.ts";
import { derivationArbitrary } from "../../../arbitraries/grants.ts";
import { testProperty } from "../../../property.ts";

const DNS = ipv4().udp().dst("10.77.0.2").dstPort(53);
const RANGE = ipv4().tcp().dstPort(50, 90);

Deno.test("printAtoms() gives a filter a paragraph and an atom a line", () => {
  equal(
    printAtoms(lowerGrant(either(DNS, RANGE, [{}]))),
    `filter 1
  frame[12:2] = 0x0800
  ipv4 header at base + 14: whole, protocol 17
  frame[30:4] = 0x0a4d0002
  base[2:2] = 0x0035
filter 2
  frame[12:2] = 0x0800
  ipv4 header at base + 14: whole, protocol 6
  base[2:2] in 50-90
filter 3
  every frame
`,
  );
});

Deno.test("printDecisionTree() shows ways, tables, derived grants and text", () => {
  const text = compileText("len > 99", { linkType: "ethernet" });
  const flows = [1, 2, 3, 4, 5, 6].map((port, index) => ({
    slot: 10 + index,
    grant: ipv4().udp().dstPort(port).grant,
    children: [],
  }));
  const tree = mergeTree([
    { slot: 1, grant: arp().request().grant, residual: text, children: [] },
    { slot: 2, grant: ipv4().udp().grant, children: flows },
  ]);
  equal(
    printDecisionTree(tree),
    `switch frame[12:2]
  0x0800
    ipv4 header at base + 14: any, protocol 17
      grant 1, from the frame's first byte again
        switch frame[12:2]
          0x0800
            ipv4 header at base + 14: whole, protocol 17
              flows by base[2:2]
                0x0001
                  accept slot 10
                0x0002
                  accept slot 11
                0x0003
                  accept slot 12
                0x0004
                  accept slot 13
                0x0005
                  accept slot 14
                0x0006
                  accept slot 15
        accept slot 2
  0x0806
    switch frame[20:2]
      0x0001
        grant 2, from the frame's first byte again
          text
            len > 0x63
          accept slot 1
          else reject
`,
  );
  equal(printDecisionTree({ branches: [] }), "reject\n");
});

/** Nodes and edges that Graphviz would read of a graph. */
function readDot(text: string) {
  const label = String.raw`label="(?:[^"\\]|\\.)*"`;
  const node = new RegExp(
    String.raw`^  (n\d+) \[${label}(?:, [a-z]+=[a-z]+)*\];$`,
  );
  const edge = new RegExp(
    String
      .raw`^  (n\d+) -> (n\d+)(?: \[(?:${label}|style=[a-z]+)(?:, style=[a-z]+)?\])?;$`,
  );
  const [head, nodeStyle, edgeStyle, ...lines] = text.split("\n");
  deepEqual([head, lines.splice(-2)], ["digraph filter {", ["}", ""]]);
  ok(nodeStyle!.startsWith("  node [") && edgeStyle!.startsWith("  edge ["));
  const nodes: string[] = [];
  const edges: [string, string][] = [];
  for (const line of lines) {
    const [, name] = node.exec(line) ?? [];
    const [, from, to] = edge.exec(line) ?? [];
    ok(name !== undefined || from !== undefined, `not Graphviz: ${line}`);
    if (name !== undefined) nodes.push(name);
    else edges.push([from!, to!]);
  }
  return { nodes, edges };
}

function countBranches(tree: TreeNode): number {
  return tree.branches.reduce((sum, branch) => {
    if (branch.kind === "flows") return sum + 1;
    const thens = branch.kind === "switch"
      ? branch.cases.map(({ then }) => then)
      : [branch.then];
    return sum + 1 + thens.reduce((all, then) => all + countBranches(then), 0);
  }, 0);
}

testProperty(
  "printDot() draws every question, and every node can be reached from the first",
  { runs: 100, file: import.meta.url },
  fc.property(derivationArbitrary, (roots) => {
    const tree = mergeTree(roots);
    const { nodes, edges } = readDot(printDot(tree));
    equal(new Set(nodes).size, nodes.length);
    ok(nodes.length >= countBranches(tree));
    const pointed = new Set(edges.map(([, to]) => to));
    const first = nodes.filter((name) => !pointed.has(name));
    equal(first.length, 1);
    for (const name of edges.flat()) ok(nodes.includes(name));
  }),
);
