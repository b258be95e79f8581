/** What a command may use of the process that it runs in. */

/** Output, size and signals: the process's own, or a test's. */
export interface Terminal {
  /** Whether standard output is a terminal that a person watches. */
  readonly interactive: boolean;
  /** Whether colours are wanted. */
  readonly color: boolean;
  /** Size in characters. */
  size(): { readonly columns: number; readonly rows: number };
  /** Writes to standard output. Returns false once its reader has closed it. */
  write(text: string): boolean;
  /** Writes bytes to standard output, as {@link write} does. */
  writeBytes(bytes: Uint8Array): boolean;
  /** Writes to standard error. */
  writeError(text: string): void;
  /** Reads a file as text. */
  readText(path: string): Promise<string>;
  /** Calls `listener` for each SIGINT and SIGTERM until it is disposed. */
  onInterrupt(listener: () => void): Disposable;
  /** Ends the process at once. */
  exit(status: number): void;
}

/** The terminal of this process. */
export function processTerminal(): Terminal {
  return {
    interactive: Deno.stdout.isTerminal(),
    color: Deno.stdout.isTerminal() && !Deno.noColor,
    size: terminalSize,
    write: (text) => writeText(Deno.stdout, text),
    writeBytes: (bytes) => writeAll(Deno.stdout, bytes),
    writeError: (text) => {
      try {
        writeText(Deno.stderr, text);
      } catch {
        // There is nowhere left to say so.
      }
    },
    readText: (path) => Deno.readTextFile(path),
    onInterrupt: listenForSignals,
    exit: (status) => Deno.exit(status),
  };
}

function terminalSize(): { columns: number; rows: number } {
  try {
    const { columns, rows } = Deno.consoleSize();
    // A terminal that does not know its size says 0.
    if (columns > 0 && rows > 0) return { columns, rows };
  } catch {
    // Not a terminal: the usual size will do.
  }
  return { columns: 80, rows: 24 };
}

interface OutputFile {
  writeSync(bytes: Uint8Array): number;
}

function writeText(file: OutputFile, text: string): boolean {
  return writeAll(file, new TextEncoder().encode(text));
}

function writeAll(file: OutputFile, bytes: Uint8Array): boolean {
  let rest = bytes;
  try {
    while (rest.length > 0) rest = rest.subarray(file.writeSync(rest));
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.BrokenPipe) return false;
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`cannot write to standard output: ${reason}`, {
      cause: error,
    });
  }
}

function listenForSignals(listener: () => void): Disposable {
  const signals: Deno.Signal[] = Deno.build.os === "windows"
    ? ["SIGINT"]
    : ["SIGINT", "SIGTERM"];
  for (const signal of signals) Deno.addSignalListener(signal, listener);
  return {
    [Symbol.dispose]: () => {
      for (const signal of signals) Deno.removeSignalListener(signal, listener);
    },
  };
}
