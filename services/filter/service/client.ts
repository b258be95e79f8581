/** A holder's side of the filter service: asks, and waits for the answers. */

import type { CapabilityAccount } from "../../../caps/driver/accounts.ts";
import type { Refusal } from "../../../caps/kernel/kernel.ts";
import { type Port, takeAll } from "../../../caps/port/port.ts";
import type { Capability } from "../../../caps/kernel/capability.ts";
import type { FilterReply, FilterRequest } from "./messages.ts";

type Asked<Op extends FilterRequest["op"]> = Omit<
  Extract<FilterRequest, { op: Op }>,
  "id" | "op"
>;

/** The filter service said no. */
export class RefusedError extends Error {
  /** For telling it apart where classes are lost. */
  override readonly name = "RefusedError";
  /** Why, in one word. */
  readonly refused: Refusal | "driver";

  /** `message` is for people. */
  constructor(refused: Refusal | "driver", message: string) {
    super(message);
    this.refused = refused;
  }
}

/** Derives, delegates, closes and revokes by message. */
export class FilterClient implements Disposable {
  readonly #port: Port<FilterRequest, FilterReply>;
  readonly #waiting = new Map<number, PromiseWithResolvers<FilterReply>>();
  #next = 0;

  /** Speaks on `port`, which is the client's from now on. */
  constructor(port: Port<FilterRequest, FilterReply>) {
    this.#port = port;
    port.onReady = () => {
      for (const reply of takeAll(port)) {
        this.#waiting.get(reply.id)?.resolve(reply);
        this.#waiting.delete(reply.id);
      }
    };
  }

  /**
   * A narrower capability; its packets flow when this resolves.
   * @throws {RefusedError}
   */
  async derive(asked: Asked<"derive">): Promise<Capability> {
    return minted(
      await this.#ask({ ...asked, op: "derive", id: ++this.#next }),
    );
  }

  /**
   * The same packets for another holder, until what was derived from the
   * capability is revoked. Resolves with the tag, void on every port but the
   * receiver's, once its packets flow there.
   * @throws {RefusedError}
   */
  async delegate(asked: Asked<"delegate">): Promise<Capability> {
    return minted(
      await this.#ask({ ...asked, op: "delegate", id: ++this.#next }),
    );
  }

  /**
   * Ends what was derived from a capability (`revoke`), the capability itself too
   * (`drop`), or only new derivations (`close`). In force when this resolves.
   * @throws {RefusedError}
   */
  async end(
    op: "close" | "revoke" | "drop",
    capability: Capability,
  ): Promise<void> {
    const reply = await this.#ask({ op, capability, id: ++this.#next });
    if ("refused" in reply) throw refusedBy(reply);
  }

  /**
   * What a capability of one's own counted so far.
   * @throws {RefusedError}
   */
  async account(capability: Capability): Promise<CapabilityAccount> {
    const reply = await this.#ask({
      op: "account",
      capability,
      id: ++this.#next,
    });
    if ("account" in reply) return reply.account;
    throw refusedBy(reply);
  }

  /** Lets go of the port; who waits for an answer gets none. */
  [Symbol.dispose](): void {
    this.#port[Symbol.dispose]();
    for (const { reject } of this.#waiting.values()) reject(noAnswer());
    this.#waiting.clear();
  }

  #ask(request: FilterRequest): Promise<FilterReply> {
    const answer = Promise.withResolvers<FilterReply>();
    this.#waiting.set(request.id, answer);
    if (!this.#port.post(request)) {
      this.#waiting.delete(request.id);
      answer.reject(noAnswer());
    }
    return answer.promise;
  }
}

function minted(reply: FilterReply): Capability {
  if ("capability" in reply) return reply.capability as Capability;
  throw refusedBy(reply);
}

function noAnswer(): Error {
  return new Error("the filter service cannot be asked: the port is closed");
}

function refusedBy(reply: FilterReply): RefusedError {
  if ("refused" in reply) return new RefusedError(reply.refused, reply.message);
  return new RefusedError(
    "invalid",
    "the filter service answered another question",
  );
}
