/** Pictures of systems, read back; and what is really wired, watched where it is. */

import assert from "node:assert/strict";
import { DriverHost } from "../../services/system/driver/host.ts";
import { FilterHost } from "../../services/system/filter/host.ts";
import { commandOf } from "../command.ts";

/** A picture's text, taken apart. */
export interface Pictured {
  /** What is said of each part, by its name. */
  readonly parts: ReadonlyMap<string, string>;
  /** `driver service -- data, port 1 -- service arp`. */
  readonly channels: readonly string[];
  /** Lines with their indentation of two a level. */
  readonly capabilities: readonly string[];
}

/** Takes a text apart; every line must be understood. */
export function readPicture(text: string): Pictured {
  const [parts, channels, capabilities, ...rest] = text.split("\n\n")
    .map((section) => section.trimEnd().split("\n"));
  assert.deepEqual(rest, []);
  const bodies = [parts, channels, capabilities].map((lines) =>
    lines!.slice(1).map((line) => {
      assert.match(line, /^ {2}/);
      return line.slice(2);
    })
  );
  assert.deepEqual([parts![0], channels![0], capabilities![0]], [
    "parts",
    "channels",
    "capabilities",
  ]);
  return {
    parts: new Map(bodies[0]!.map((line) => {
      const [, name, words] = /^(.*?)(?: {2,}(.*))?$/.exec(line)!;
      return [name!, words ?? ""];
    })),
    channels: bodies[1]!,
    capabilities: bodies[2]!,
  };
}

/** The ports of a part's channels to the driver and the filter service, those through interposers included. */
export function portsOf(
  { channels }: Pictured,
  name: string,
): { readonly data: number[]; readonly requests: number[] } {
  const ports = (what: string) =>
    channels.flatMap((channel) => {
      const [from, words, to] = channel.split(" -- ");
      const port = new RegExp(`^${what}, port (\\d+)$`).exec(words!);
      return port === null || (from !== name && to !== name)
        ? []
        : [Number(port[1])];
    });
  return { data: ports("data"), requests: ports("requests") };
}

/** Which ports every driver and filter service was given, from now on and until it is disposed. */
export function watchAttached():
  & { readonly data: number[]; readonly requests: number[] }
  & Disposable {
  const data: number[] = [];
  const requests: number[] = [];
  const driver = DriverHost.prototype.attach;
  const filter = FilterHost.prototype.attach;
  DriverHost.prototype.attach = function (port, ...rest) {
    data.push(port);
    driver.call(this, port, ...rest);
  };
  FilterHost.prototype.attach = function (port, ...rest) {
    requests.push(port);
    filter.call(this, port, ...rest);
  };
  return {
    data,
    requests,
    [Symbol.dispose]: () => {
      DriverHost.prototype.attach = driver;
      FilterHost.prototype.attach = filter;
    },
  };
}

/** The permissions that every worker of this thread was started with, from now on and until it is disposed. */
export function watchWorkers():
  & { readonly permissions: unknown[] }
  & Disposable {
  const permissions: unknown[] = [];
  const Original = globalThis.Worker;
  globalThis.Worker = class extends Original {
    constructor(module: string | URL, options?: WorkerOptions) {
      super(module, options);
      permissions.push(
        (options as { deno: { permissions: unknown } }).deno.permissions,
      );
    }
  };
  return {
    permissions,
    [Symbol.dispose]: () => void (globalThis.Worker = Original),
  };
}

/** What Graphviz makes of a graph: the names of its nodes, and its edges as pairs of them. */
export async function drawn(
  graph: string,
): Promise<{ readonly nodes: string[]; readonly edges: string[][] }> {
  const child = commandOf(["dot", "-Tdot_json"], {
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(graph));
  await writer.close();
  const { success, stdout, stderr } = await child.output();
  const words = new TextDecoder();
  assert.equal(words.decode(stderr), "");
  assert.ok(success);
  const { objects, edges } = JSON.parse(words.decode(stdout)) as {
    objects: { name: string }[];
    edges: { tail: number; head: number }[];
  };
  const nodes = objects.map(({ name }) => name);
  return {
    nodes,
    edges: edges.map(({ tail, head }) => [nodes[tail]!, nodes[head]!]),
  };
}
