/** Builds the C references, where there is a compiler. */

const folder = `${import.meta.dirname}/reference`;

/** Which reference, and how it is linked. */
export interface Reference {
  /** File in bench/reference/, without `.c`. */
  readonly name: string;
  /** A shared library to open, or a program to run. */
  readonly kind: "library" | "program";
  /** Further arguments of the linker. */
  readonly link?: readonly string[];
}

/** Where the reference was built, or why it was not. */
export type Built = { readonly path: string } | { readonly missing: string };

/** Compiles `reference` with -O2 into bench/reference/build/. */
export async function build(reference: Reference): Promise<Built> {
  const { name, kind, link = [] } = reference;
  await Deno.mkdir(`${folder}/build`, { recursive: true });
  const path = `${folder}/build/${kind === "library" ? `${name}.so` : name}`;
  // Built aside and then renamed: another run may be using the file.
  const aside = `${path}.${Deno.pid}`;
  const args = [
    "-O2",
    "-Wall",
    "-Wextra",
    ...(kind === "library" ? ["-shared", "-fPIC"] : []),
    "-o",
    aside,
    `${folder}/${name}.c`,
    ...link,
  ];
  for (const compiler of ["cc", "gcc", "clang"]) {
    let output: Deno.CommandOutput;
    try {
      output = await new Deno.Command(compiler, { args }).output();
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) continue;
      throw error;
    }
    if (!output.success) {
      const words = new TextDecoder().decode(output.stderr).trim();
      return {
        missing: `${compiler} could not build ${name}.c: ${
          words.split("\n").at(-1)
        }`,
      };
    }
    await Deno.rename(aside, path);
    return { path };
  }
  return { missing: "no C compiler here (cc, gcc or clang)" };
}
