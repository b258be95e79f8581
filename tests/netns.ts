/**
 * Two network namespaces joined by a veth, for tests on real traffic: nothing of
 * the machine's own network is touched, and all of it goes with the namespaces.
 *
 * ```
 *   left namespace                          right namespace
 *   veth0, 10.77.0.1/24 ─────── veth ─────── veth0, 10.77.0.3/24
 * ```
 *
 * Names carry the process's number: what a killed test run left behind is
 * removed by the next one, what a running one uses is left alone.
 */

import {
  commandOf,
  type CommandResult,
  failureOf,
  runCommand,
  tryCommand,
} from "./command.ts";
import { checkProgram, type Need } from "./needs.ts";

/** What a test with namespaces needs of the machine. */
export const NETNS_NEEDS: readonly Need[] = [
  "linux",
  "root",
  "tool:ip",
  "tool:ethtool",
  "tool:sysctl",
];

/** The interface's name in both namespaces. */
export const INTERFACE = "veth0";

/** The kernel's address in the left namespace. */
const LEFT_ADDRESS = "10.77.0.1";

/** The kernel's address in the right namespace. */
export const RIGHT_ADDRESS = "10.77.0.3";

const PREFIX = "sp-test-";

/** How the two namespaces are joined. */
export interface NamespacePairOptions {
  /** Receive (and send) queues of each end; 1 by default. */
  readonly queues?: number;
  /** 1,500 bytes by default. */
  readonly mtu?: number;
}

/** One network namespace. */
export class Namespace {
  /** A namespace that exists. */
  constructor(readonly name: string) {}

  /** The command line that runs `command` in here. */
  command(command: readonly string[]): string[] {
    checkProgram(command[0]!);
    return ["ip", "netns", "exec", this.name, ...command];
  }

  /** Runs a command to its end. @throws {Error} when it fails. */
  async run(...command: readonly string[]): Promise<string> {
    const result = await this.try(...command);
    if (result.code !== 0) throw failureOf(command, result);
    return result.stdout;
  }

  /** Runs a command to its end, which may be a failure. */
  try(...command: readonly string[]): Promise<CommandResult> {
    return tryCommand(this.command(command));
  }

  /** Starts a command; its end is the caller's business, at the latest the namespace's. */
  spawn(
    command: readonly string[],
    options: Omit<Deno.CommandOptions, "args"> = {},
  ): Deno.ChildProcess {
    return commandOf(this.command(command), options).spawn();
  }

  /** What `ip -details -json link` says of the interface. */
  async link(): Promise<Record<string, unknown>> {
    const text = await this.run(
      "ip",
      "-details",
      "-json",
      "link",
      "show",
      INTERFACE,
    );
    return (JSON.parse(text) as Record<string, unknown>[])[0]!;
  }
}

/** Two namespaces, removed by `await using`. */
export class NamespacePair implements AsyncDisposable {
  /** Where tests put the kernel that talks to Sallyport. */
  readonly left: Namespace;
  /** Where tests put Sallyport, beside a kernel. */
  readonly right: Namespace;

  /** Of two namespaces that exist. */
  constructor(left: Namespace, right: Namespace) {
    this.left = left;
    this.right = right;
  }

  /** Ends what still runs in them, and removes them. */
  async [Symbol.asyncDispose](): Promise<void> {
    await remove(this.left.name);
    await remove(this.right.name);
  }
}

let made = 0;

/** Makes two namespaces, joined. Needs root, iproute2 and ethtool. */
export async function makeNamespacePair(
  options: NamespacePairOptions = {},
): Promise<NamespacePair> {
  await removeStale();
  const stem = `${PREFIX}${Deno.pid}-${made++}`;
  const pair = new NamespacePair(
    new Namespace(`${stem}l`),
    new Namespace(`${stem}r`),
  );
  try {
    await addSpaces(pair);
    await join(pair, options);
    return pair;
  } catch (error) {
    await pair[Symbol.asyncDispose]();
    throw error;
  }
}

async function addSpaces(pair: NamespacePair): Promise<void> {
  for (const space of [pair.left, pair.right]) {
    await runCommand(["ip", "netns", "add", space.name]);
    // Router solicitations and the like would only be noise on the wire.
    const quiet = ["all", "default"].map((which) =>
      `net.ipv6.conf.${which}.disable_ipv6=1`
    );
    await space.run("sysctl", "-qw", ...quiet);
  }
}

/** Joins the two by a veth, with its addresses, up: there must be none, or none any more. */
export async function join(
  pair: NamespacePair,
  options: NamespacePairOptions = {},
): Promise<void> {
  const queues = String(options.queues ?? 1);
  const mtu = String(options.mtu ?? 1500);
  const both = [
    [pair.left, LEFT_ADDRESS],
    [pair.right, RIGHT_ADDRESS],
  ] as const;
  const end = ["numrxqueues", queues, "numtxqueues", queues];
  await runCommand([
    ...["ip", "link", "add", INTERFACE, "netns", pair.left.name, "mtu", mtu],
    ...end,
    ...["type", "veth", "peer", "name", INTERFACE],
    ...["netns", pair.right.name, "mtu", mtu, ...end],
  ]);
  for (const [space, address] of both) {
    // A veth leaves checksums to be completed by hardware that there is none of.
    // And it would keep VLAN tags out of frames.
    const offloads = ["tx", "off", "tso", "off", "gso", "off", "txvlan", "off"];
    offloads.push("tx-vlan-stag-hw-insert", "off");
    await space.run("ethtool", "-K", INTERFACE, ...offloads);
    await space.run("ip", "address", "add", `${address}/24`, "dev", INTERFACE);
    await space.run("ip", "link", "set", "lo", "up");
    await space.run("ip", "link", "set", INTERFACE, "up");
  }
}

/** Removes a namespace; one that is not there is removed already. */
async function remove(name: string): Promise<void> {
  const pids = await tryCommand(["ip", "netns", "pids", name]);
  for (const pid of pids.stdout.split(/\s+/).filter((text) => text !== "")) {
    try {
      Deno.kill(Number(pid), "SIGKILL");
    } catch {
      // It ended by itself in the meantime.
    }
  }
  await tryCommand(["ip", "netns", "delete", name]);
}

/** Removes what test runs that were killed have left. */
async function removeStale(): Promise<void> {
  const list = await tryCommand(["ip", "netns", "list"]);
  for (const line of list.stdout.split("\n")) {
    const name = line.split(" ")[0]!;
    const pid = /^sp-test-(\d+)-\d+[lr]$/.exec(name)?.[1];
    if (pid === undefined || Number(pid) === Deno.pid) continue;
    if (!isAlive(Number(pid))) await remove(name);
  }
}

function isAlive(pid: number): boolean {
  try {
    Deno.statSync(`/proc/${pid}`);
    return true;
  } catch {
    return false;
  }
}

/** What `ip` says of a namespace's interface, without what counts. */
export async function stateOf(
  space: Namespace,
): Promise<Record<string, unknown>> {
  const link = await space.link();
  delete link["stats64"];
  return link;
}
