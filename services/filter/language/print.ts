/** The stages of the compiler in words, a node a line. */

import type { Arithmetic, Expression, Qualifiers } from "./ast.ts";
import type { Program, Test, Value } from "./ir.ts";

/** What parse() made of a text: operators, then their operands indented. */
export function printTree(tree: Expression): string {
  return treeLines(tree).join("\n") + "\n";
}

/** A program: tests a line each, values as in C. */
export function printProgram(program: Program): string {
  const head = `# link type ${program.linkType}` +
    (program.variables === 0 ? "" : `, ${program.variables} variables`);
  return [head, ...testLines(program.test)].join("\n") + "\n";
}

function indented(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`);
}

function treeLines(node: Expression): string[] {
  switch (node.kind) {
    case "and":
    case "or":
      return [node.kind, ...indented(node.operands.flatMap(treeLines))];
    case "not":
      return ["not", ...indented(treeLines(node.operand))];
    default:
      return [`${leafText(node)}  # column ${node.column}`];
  }
}

type Leaf = Exclude<Expression, { kind: "and" | "or" | "not" }>;

function leafText(node: Leaf): string {
  switch (node.kind) {
    case "primitive":
      return words(
        qualifiersText(node.qualifiers),
        identifierText(node.identifier),
      );
    case "protocol":
      return node.protocol;
    case "relation":
      return words(
        arithmeticText(node.left),
        node.relation,
        arithmeticText(node.right),
      );
    case "broadcast":
    case "multicast":
      return words(node.protocol, node.kind);
    case "less":
    case "greater":
    case "ifindex":
      return words(node.kind, String(node.value));
    case "byte":
      return `byte ${node.index} ${node.operator} ${node.value}`;
    case "encapsulation":
      return words(node.header, node.number?.toString());
    case "llc":
      return words("llc", node.type);
    default:
      return node.kind;
  }
}

function words(...parts: (string | undefined)[]): string {
  return parts.filter((part) => part !== undefined && part !== "").join(" ");
}

function qualifiersText(qualifiers: Qualifiers): string {
  return words(
    qualifiers.protocol,
    qualifiers.direction,
    qualifiers.type ?? "host",
  );
}

type IdentifierNode = Extract<Leaf, { kind: "primitive" }>["identifier"];

function identifierText(identifier: IdentifierNode): string {
  switch (identifier.kind) {
    case "number":
      return String(identifier.value);
    case "ip4":
    case "ip6": {
      const mask = identifier.kind === "ip4" ? identifier.mask : undefined;
      const prefix = identifier.prefix;
      return identifier.text + (prefix === undefined ? "" : `/${prefix}`) +
        (mask === undefined ? "" : ` mask ${mask}`);
    }
    default:
      return identifier.text;
  }
}

function arithmeticText(node: Arithmetic): string {
  switch (node.kind) {
    case "number":
      return String(node.value);
    case "len":
      return "len";
    case "load":
      return `${node.protocol}[${arithmeticText(node.index)}:${node.size}]`;
    case "negate":
      return `-${arithmeticText(node.operand)}`;
    case "binary": {
      const left = arithmeticText(node.left);
      return `(${left} ${node.operator} ${arithmeticText(node.right)})`;
    }
  }
}

function testLines(test: Test): string[] {
  switch (test.kind) {
    case "and":
    case "or":
      return [test.kind, ...indented(test.tests.flatMap(testLines))];
    case "not":
      return ["not", ...indented(testLines(test.test))];
    case "always":
      return [String(test.value)];
    case "compare": {
      const operator = test.operator === "any-bit" ? "&" : test.operator;
      return [`${valueText(test.left)} ${operator} ${valueText(test.right)}`];
    }
    case "member": {
      const numbers = test.numbers.map((value) =>
        valueText({ kind: "constant", value })
      );
      return [`${valueText(test.value)} in ${numbers.join(" ")}`];
    }
    case "assign":
      return [`v${test.variable} := ${valueText(test.value)}`];
    case "protochain":
      return [
        `protochain version ${test.version} at ${test.offset}: ${test.protocol}`,
      ];
  }
}

const SIGNS = {
  add: "+",
  sub: "-",
  mul: "*",
  div: "/",
  mod: "%",
  and: "&",
  or: "|",
  xor: "^",
  lsh: "<<",
  rsh: ">>",
} as const;

function valueText(value: Value): string {
  switch (value.kind) {
    case "constant":
      return value.value < 10
        ? String(value.value)
        : `0x${value.value.toString(16)}`;
    case "length":
      return "len";
    case "variable":
      return `v${value.variable}`;
    case "load": {
      const base = value.base === undefined
        ? ""
        : `${valueText(value.base)} + `;
      return `[${base}${value.offset}:${value.width}]`;
    }
    case "arithmetic": {
      const left = valueText(value.left);
      return `(${left} ${SIGNS[value.operator]} ${valueText(value.right)})`;
    }
    case "negate":
      return `-${valueText(value.operand)}`;
  }
}
