/** A holder's side of the filter service: asks, and waits for the answers. */

import type { CapabilityAccount } from "../../../caps/driver/accounts.ts";
import type { Refusal } from "../../../caps/kernel/kernel.ts";
import { type Port, takeAll } from "../../../caps/port/port.ts";
import type { Capability } from "../../../caps/kernel/capability.ts";
import { Calls, PORT_CLOSED } from "../../runtime/calls.ts";
import type { FilterReply, FilterRequest } from "./messages.ts";

type Asked<Op extends FilterRequest["op"]> = Omit<
  Extract<FilterRequest, { op: Op }>,
  "id" | "op"
>;

/** Thrown when the filter service refuses a request. */
export class RefusedError extends Error {
  /** Tells the error apart where classes are lost. */
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
  /** To compile takes long; a service that does not answer at all is the system's to notice. */
  readonly #calls = new Calls<FilterReply>("the filter service", Infinity);

  /** Speaks on `port`, which is the client's from now on. */
  constructor(port: Port<FilterRequest, FilterReply>) {
    this.#port = port;
    port.onReady = () => {
      for (const reply of takeAll(port)) this.#calls.answer(reply.id, reply);
    };
  }

  /**
   * Derives a narrower capability; its packets flow when this resolves.
   * @throws {RefusedError}
   */
  async derive(asked: Asked<"derive">): Promise<Capability> {
    return minted(await this.#ask({ ...asked, op: "derive" }));
  }

  /**
   * Gives another holder the same packets, until what was derived from the
   * capability is revoked. Resolves, once packets flow there, with the other
   * holder's capability, void on every port but that holder's.
   * @throws {RefusedError}
   */
  async delegate(asked: Asked<"delegate">): Promise<Capability> {
    return minted(await this.#ask({ ...asked, op: "delegate" }));
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
    const reply = await this.#ask({ op, capability });
    if ("refused" in reply) throw refusedBy(reply);
  }

  /**
   * Asks what a capability of one's own counted so far.
   * @throws {RefusedError}
   */
  async account(capability: Capability): Promise<CapabilityAccount> {
    const reply = await this.#ask({ op: "account", capability });
    if ("account" in reply) return reply.account;
    throw refusedBy(reply);
  }

  /** Closes the port; who waits for an answer gets none. */
  [Symbol.dispose](): void {
    this.#port[Symbol.dispose]();
    this.#calls.abandon(PORT_CLOSED);
  }

  #ask(request: Unnumbered<FilterRequest>): Promise<FilterReply> {
    return this.#calls.ask((id) =>
      this.#port.post({ ...request, id } as FilterRequest)
    );
  }
}

type Unnumbered<Request> = Request extends unknown ? Omit<Request, "id">
  : never;

function minted(reply: FilterReply): Capability {
  if ("capability" in reply) return reply.capability as Capability;
  throw refusedBy(reply);
}

function refusedBy(reply: FilterReply): RefusedError {
  if ("refused" in reply) return new RefusedError(reply.refused, reply.message);
  return new RefusedError(
    "invalid",
    "the filter service answered another question",
  );
}
