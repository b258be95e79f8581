/** Classifying at the NIC itself: what it was given, and what it refused. */

import type { InstallOrder, KernelCover } from "../../caps/driver/messages.ts";
import type { SocketFilter } from "../../caps/driver/program.ts";
import type { Driver } from "../driver.ts";

/** UTF-16 units of a verifier's log that are kept: the end says what was wrong. */
const LOG_MAX = 16384;

/** The part of a driver that is used here. */
type ClassifyingDriver = Pick<
  Driver,
  "info" | "classify" | "changeFlows" | "admit"
>;

/** The part of a driver that classifies, or spares what is nobody's, where it has one. */
export class KernelClassifier {
  readonly #driver: ClassifyingDriver;
  #active = false;
  #refusal: string | undefined;

  /** Nothing is offloaded yet. */
  constructor(driver: ClassifyingDriver) {
    this.#driver = driver;
  }

  /** Whether the NIC has a program, so that packets come with tags. */
  get active(): boolean {
    return this.#active;
  }

  /** Why that program is only a cover; undefined when it is not. */
  get refusal(): string | undefined {
    return this.#refusal;
  }

  /**
   * Lets the NIC classify, if it can. Until it does again, tags of the program
   * before are still good hints. Returns why it does not.
   */
  apply(order: InstallOrder): string | undefined {
    const driver = this.#driver;
    if (order.kind === "commit" && order.socket !== undefined) {
      return this.#admit(order.socket);
    }
    if (order.kernel === undefined || driver.classify === undefined) {
      return undefined;
    }
    try {
      if (order.kind === "patch") driver.changeFlows!(order.kernel);
      else {
        refuseOwnAddress(order.cover, driver.info.mac);
        driver.classify(order.kernel);
        this.#refusal = order.cover?.why;
      }
      this.#active = true;
      return undefined;
    } catch (error) {
      return refusalOf(error);
    }
  }

  #admit(filter: SocketFilter): string | undefined {
    try {
      this.#driver.admit?.(filter);
      return undefined;
    } catch (error) {
      return refusalOf(error);
    }
  }
}

/** A cover takes all packets to its addresses, and the kernel is to have those to the interface's own. */
function refuseOwnAddress(
  cover: KernelCover | undefined,
  own: Uint8Array,
): void {
  const taken = cover?.addresses.some((address) =>
    address.every((byte, index) => byte === own[index])
  );
  if (taken) {
    throw new Error(
      "a grant is for the interface's own Ethernet address, whose other packets are the kernel's; use another address, or have unclaimed packets dropped",
    );
  }
}

/** The message of a NIC's refusal, and the end of its log where it has one. */
function refusalOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const log = "log" in error && typeof error.log === "string" ? error.log : "";
  return log === ""
    ? error.message
    : `${error.message}\n${log.slice(-LOG_MAX)}`;
}
