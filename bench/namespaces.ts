/** Two network namespaces joined by a veth pair, for as long as a benchmark runs. */

/** The interface in the sending namespace, and the one in the receiving. */
export const SENDING = { interface: "spsend", mac: "02:53:50:00:00:01" };
/** 10.77.0.2 is the kernel's address there. */
export const RECEIVING = {
  interface: "sprecv",
  mac: "02:53:50:00:00:02",
  address: "10.77.0.2",
};

/** The pair. Only these two namespaces are touched, and they are removed again. */
export class Namespaces implements AsyncDisposable {
  /** Names of the namespaces, as `ip netns exec` takes them. */
  readonly sending: string = `spbench-s${Deno.pid}`;
  /** The other. */
  readonly receiving: string = `spbench-r${Deno.pid}`;
  readonly #remove = (): void => {
    this.#removeNow();
    Deno.exit(130);
  };

  /** Makes both, with the links up. */
  static async make(): Promise<Namespaces> {
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
      const network = `${RECEIVING.address}/24`;
      const at = RECEIVING.interface;
      await ip("-n", receiving, "address", "add", network, "dev", at);
      await ip("-n", sending, "link", "set", SENDING.interface, "up");
      await ip("-n", receiving, "link", "set", at, "up");
    } catch (error) {
      await pair[Symbol.asyncDispose]();
      throw error;
    }
    return pair;
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
      new Deno.Command("ip", {
        args: ["netns", "delete", name],
        stderr: "null",
      }).outputSync();
    }
  }
}

async function ip(...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("ip", { args }).output();
  if (success) return;
  const words = new TextDecoder().decode(stderr).trim();
  throw new Error(`ip ${args.join(" ")}: ${words}`);
}
