/** The driver in a process of its own in a namespace, and what talks to it from the other one. */

import type { Counts } from "../../../caps/driver/accounts.ts";
import assert from "node:assert/strict";
import { linesOf } from "../../lines.ts";
import {
  INTERFACE,
  makeNamespacePair,
  type Namespace,
  type NamespacePair,
  type NamespacePairOptions,
} from "../../netns.ts";

/** An address that only the driver under test answers on, and a MAC of its own. */
export const ADDRESS = "10.77.0.2";
const MAC = "02:00:00:00:00:02";

/** The path of a file beside this one. */
export const path = (name: string): string =>
  new URL(name, import.meta.url).pathname;

/** What it says once it is open. */
export interface Ready {
  readonly name: string;
  readonly mode: string;
  readonly mac: readonly number[];
  readonly frameBytesMax: number;
  readonly refuses: boolean;
}

/** What it says of its interface. */
export interface Link {
  readonly frameBytesMax: number;
  readonly mac: readonly number[];
  readonly notices: readonly string[];
}

/** The driver in a process of its own, with no permission but FFI. */
export class EchoProcess {
  readonly child: Deno.ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;

  constructor(space: Namespace, ...args: string[]) {
    const command = [Deno.execPath(), "run", "--no-prompt", "--allow-ffi"];
    this.child = space.spawn(
      [...command, path("./echo_process.ts"), ...args],
      { stdin: "piped", stdout: "piped" },
    );
    this.#lines = linesOf(this.child.stdout);
    this.#input = this.child.stdin.getWriter();
  }

  /** The next line that it writes, which must say `what`. */
  async next<T>(what: string): Promise<T> {
    const { value, done } = await this.#lines.next();
    assert.ok(!done, `the process ended without saying ${what}`);
    const said = JSON.parse(value) as Record<string, T>;
    assert.ok(what in said, `the process said ${value}`);
    return said[what]!;
  }

  async tell(command: string): Promise<void> {
    await this.#input.write(new TextEncoder().encode(`${command}\n`));
  }

  /** What is known of its interface, once that is as `expected`. */
  async link(expected: (link: Link) => boolean): Promise<Link> {
    const notices: string[] = [];
    for (;;) {
      await this.tell("look");
      const link = await this.next<Link>("link");
      notices.push(...link.notices);
      const all = { ...link, notices };
      if (expected(all)) return all;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  async stop(): Promise<Counts> {
    await this.tell("stop");
    const counts = await this.next<Counts>("done");
    await this.end();
    return counts;
  }

  async end(): Promise<Deno.CommandStatus> {
    await this.#input.close().catch(() => {});
    const status = await this.child.status;
    await this.#lines.return?.();
    return status;
  }
}

/** Two namespaces, the left of which knows where the driver is. */
export async function makePair(
  options: NamespacePairOptions = {},
): Promise<NamespacePair> {
  const pair = await makeNamespacePair(options);
  await introduce(pair.left);
  return pair;
}

/** Tells a kernel the hardware address of the one that answers no ARP here. */
export async function introduce(space: Namespace): Promise<void> {
  const neighbour = ["ip", "neigh", "replace", ADDRESS, "lladdr", MAC];
  await space.run(...neighbour, "dev", INTERFACE);
}

/** Sends datagrams, and says how many came back intact. */
export async function udpEcho(
  space: Namespace,
  count: number,
  sockets = 8,
  largest = 1472,
): Promise<Counts> {
  const command = [Deno.execPath(), "run", "--no-prompt", "--allow-net"];
  const args = [ADDRESS, "7", ...[count, sockets, largest].map(String)];
  const said = await space.run(...command, path("./udp_client.ts"), ...args);
  return JSON.parse(said) as Counts;
}

/** Why it cannot be opened. */
export async function failureOf(
  space: Namespace,
  prefix: readonly string[] = [],
  name = INTERFACE,
): Promise<string> {
  const command = [Deno.execPath(), "run", "--no-prompt", "--allow-ffi"];
  const result = await space.try(
    ...prefix,
    ...command,
    path("./echo_process.ts"),
    name,
  );
  assert.equal(result.code, 1, result.stdout + result.stderr);
  return (JSON.parse(result.stdout) as { failed: string }).failed;
}
