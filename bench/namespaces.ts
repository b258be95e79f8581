/** Two network namespaces joined by a veth pair, for as long as a benchmark runs. */

/** The interface in the sending namespace, and the kernel's address there. */
export const SENDING = {
  interface: "spsend",
  mac: "02:53:50:00:00:01",
  address: "10.77.0.1",
};
/** Interface in the receiving namespace, and the kernel's address there. */
export const RECEIVING = {
  interface: "sprecv",
  mac: "02:53:50:00:00:02",
  address: "10.77.0.2",
};

const PREFIX = "spbench-";

/** The pair. Only these two namespaces are touched, and they are removed again. */
export class Namespaces implements AsyncDisposable {
  /** Names of the namespaces, as `ip netns exec` takes them. */
  readonly sending: string = `${PREFIX}s${Deno.pid}`;
  /** Name of the receiving namespace. */
  readonly receiving: string = `${PREFIX}r${Deno.pid}`;
  readonly #remove = (): void => {
    this.#removeNow();
    Deno.exit(130);
  };

  /** Makes both, with the links up. */
  static async make(): Promise<Namespaces> {
    await removeLeftOver();
    const pair = new Namespaces();
    Deno.addSignalListener("SIGINT", pair.#remove);
    Deno.addSignalListener("SIGTERM", pair.#remove);
    try {
      const { sending, receiving } = pair;
      await ip("netns", "add", sending);
      await ip("netns", "add", receiving);
      // deno-fmt-ignore
      await ip("-n", sending, "link", "add", SENDING.interface,
        "address", SENDING.mac, "type", "veth", "peer",
        "name", RECEIVING.interface, "address", RECEIVING.mac,
        "netns", receiving);
      for (const [name, end] of pair.#ends()) {
        const network = `${end.address}/24`;
        await ip("-n", name, "address", "add", network, "dev", end.interface);
        await ip("-n", name, "link", "set", end.interface, "up");
      }
    } catch (error) {
      await pair[Symbol.asyncDispose]();
      throw error;
    }
    return pair;
  }

  #ends() {
    return [[this.sending, SENDING], [this.receiving, RECEIVING]] as const;
  }

  /** Removes both, and the links with them. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#removeNow();
    Deno.removeSignalListener("SIGINT", this.#remove);
    Deno.removeSignalListener("SIGTERM", this.#remove);
    return Promise.resolve();
  }

  #removeNow(): void {
    for (const name of [this.sending, this.receiving]) {
      removeNamespace(name);
    }
  }
}

function removeNamespace(name: string): void {
  const args = ["netns", "delete", name];
  new Deno.Command("ip", { args, stderr: "null" }).outputSync();
}

/** What a run that was killed could not remove: the names say whose they are. */
async function removeLeftOver(): Promise<void> {
  const names = await ip("netns", "list");
  for (const [name, pid] of names.matchAll(/spbench-[sr](\d+)/g)) {
    try {
      await Deno.stat(`/proc/${pid}`);
    } catch {
      removeNamespace(name);
    }
  }
}

/** What `ip` says to these arguments. */
export async function ip(...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command("ip", { args })
    .output();
  if (success) return new TextDecoder().decode(stdout);
  const words = new TextDecoder().decode(stderr).trim();
  throw new Error(`ip ${args.join(" ")}: ${words}`);
}
