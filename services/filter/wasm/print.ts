/**
 * WebAssembly for people: the text format (WebAssembly Core Specification 2.0,
 * section 6), a line an instruction, blocks indented. What assembles it again
 * gets the same bytes.
 */

import { decodeModule, valueTypeOf } from "./decode.ts";
import type { DataSegment, FunctionBody, FunctionType } from "./encoder.ts";
import { type Instruction, NO_RESULT, OPCODES } from "./opcodes.ts";

/** A module of ours, from its bytes, as text. */
export function printWasm(bytes: Uint8Array): string {
  const { memoryPages, functions, exports, data } = decodeModule(bytes);
  const types = [...new Set(functions.map(({ type }) => typeText(type)))];
  const lines = [
    "(module",
    ...types.map((type) => `  (type (func${type}))`),
    `  (import "env" "memory" (memory ${memoryPages} ${memoryPages} shared))`,
    ...functions.flatMap((one, index) =>
      functionLines(one, index, types.indexOf(typeText(one.type)))
    ),
    ...Object.entries(exports).map(([name, index]) =>
      `  (export "${name}" (func ${index}))`
    ),
    ...data.map(dataLine),
  ];
  return `${lines.join("\n")})\n`;
}

function typeText({ parameters, results }: FunctionType): string {
  return listText("param", parameters) + listText("result", results);
}

function listText(word: string, types: readonly string[]): string {
  return types.length === 0 ? "" : ` (${word} ${types.join(" ")})`;
}

function functionLines(
  { type, locals, instructions }: FunctionBody,
  index: number,
  typeIndex: number,
): string[] {
  let depth = 2;
  const body = instructions.map((instruction) => {
    const { op } = instruction;
    if (op === "end" || op === "else") depth--;
    const line = "  ".repeat(depth) + instructionText(instruction);
    if (op === "block" || op === "loop" || op === "if" || op === "else") {
      depth++;
    }
    return line;
  });
  const head = `  (func (;${index};) (type ${typeIndex})${typeText(type)}`;
  const declared = listText("local", locals);
  if (declared !== "") body.unshift(`   ${declared}`);
  return [head, ...body.slice(0, -1), `${body.at(-1) ?? "   "})`];
}

function instructionText({ op, immediates }: Instruction): string {
  switch (OPCODES[op].immediates) {
    case "block": {
      const type = Number(immediates[0]);
      return type === NO_RESULT ? op : `${op} (result ${valueTypeOf(type)})`;
    }
    case "memory": {
      const offset = immediates[0] === 0 ? "" : ` offset=${immediates[0]}`;
      return `${op}${offset} align=1`;
    }
    default:
      return [op, ...immediates].join(" ");
  }
}

function dataLine({ address, bytes }: DataSegment): string {
  const text = [...bytes].map((byte) =>
    `\\${byte.toString(16).padStart(2, "0")}`
  ).join("");
  return `  (data (i32.const ${address | 0}) "${text}")`;
}
