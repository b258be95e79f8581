/** The project's README.md files, as their readers see them. */

const ROOT = new URL("../../", import.meta.url);

/** One README.md. */
export interface Readme {
  /** From the project's root: `caps/README.md`. */
  readonly path: string;
  readonly text: string;
}

/** A fenced block of code. */
export interface CodeBlock {
  /** What is written behind the fence: `ts`, `sh`, or nothing. */
  readonly language: string;
  readonly code: string;
  /** `caps/README.md:12`. */
  readonly place: string;
}

/** Every README.md of the project, in the order of their paths. */
export function readReadmes(): Readme[] {
  const paths = [...walk("")].sort();
  return paths.map((path) => ({
    path,
    text: Deno.readTextFileSync(new URL(path, ROOT)),
  }));
}

function* walk(folder: string): Generator<string> {
  for (
    const { name, isDirectory } of Deno.readDirSync(
      new URL(folder === "" ? "." : folder, ROOT),
    )
  ) {
    const path = `${folder}${name}`;
    if (isDirectory) {
      if (!/^\.|^node_modules$/.test(name)) yield* walk(`${path}/`);
    } else if (name === "README.md") yield path;
  }
}

/** The fenced blocks of a README. */
export function codeBlocks({ path, text }: Readme): CodeBlock[] {
  return [...text.matchAll(/^```(\w*)\n(.*?)^```$/gms)].map((match) => ({
    language: match[1]!,
    code: match[2]!,
    place: `${path}:${text.slice(0, match.index).split("\n").length}`,
  }));
}

/** What the text beside the fenced blocks says. */
export function prose({ text }: Readme): string {
  return text.replace(/^```.*?^```$/gms, "");
}

/** Whether there is a file or folder at `path`, from the project's root. */
export function exists(path: string): boolean {
  try {
    Deno.statSync(new URL(path, ROOT));
    return true;
  } catch {
    return false;
  }
}
