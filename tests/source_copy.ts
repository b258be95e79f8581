/** A copy of the sources in a folder of its own, where they can be broken. */

const ROOT = new URL("../", import.meta.url);

/** A folder with the sources; disposal removes it. */
export class SourceCopy implements Disposable {
  /** Where it is. */
  readonly folder: string = Deno.makeTempDirSync({ prefix: "sallyport-" });

  /** Copies `parts`: files, and folders with all that is in them, from the project's root. */
  constructor(parts: readonly string[]) {
    for (const part of parts) {
      copy(new URL(part, ROOT).pathname, `${this.folder}/${part}`);
    }
  }

  /** The text of a file of the copy. */
  read(file: string): string {
    return Deno.readTextFileSync(`${this.folder}/${file}`);
  }

  /** Gives a file of the copy another text. */
  write(file: string, text: string): void {
    Deno.writeTextFileSync(`${this.folder}/${file}`, text);
  }

  /** Removes the folder. */
  [Symbol.dispose](): void {
    Deno.removeSync(this.folder, { recursive: true });
  }
}

function copy(from: string, to: string): void {
  if (!Deno.statSync(from).isDirectory) {
    Deno.mkdirSync(to.slice(0, to.lastIndexOf("/")), { recursive: true });
    Deno.copyFileSync(from, to);
    return;
  }
  Deno.mkdirSync(to, { recursive: true });
  for (const { name } of Deno.readDirSync(from)) {
    copy(`${from}/${name}`, `${to}/${name}`);
  }
}
