/** One kernel with grants as they are, and so many flows that are live already. */

import { CapabilityKernel } from "../../caps/kernel/kernel.ts";
import { RIGHTS_ALL } from "../../caps/kernel/rights.ts";
import { TagGenerator } from "../../caps/kernel/tag.ts";
import type { Capability } from "../../caps/kernel/capability.ts";
import { grantAlgebra } from "../../services/filter/siblings/algebra.ts";
import { ipv4 } from "../../services/filter/grant/builder.ts";
import type { Grant } from "../../services/filter/grant/grant.ts";
import { checkGrant } from "../../services/filter/grant/check.ts";

/** Done one after another and timed together: short enough to be left alone meanwhile. */
const TOGETHER = 50;

/** What one of each costs, in microseconds. */
export interface Costs {
  readonly derive: number;
  readonly delegate: number;
  readonly revoke: number;
}

/** The grant of flow `index`. */
export function flow(index: number): Grant {
  const from = `10.${index >>> 16}.${index >>> 8 & 255}.${index & 255}`;
  return ipv4().tcp().src(from).dst("10.77.0.2").srcPort(20000).dstPort(443)
    .grant;
}

/** Holds `live` flows, and times one more of each kind. */
export class Authority {
  readonly #kernel: CapabilityKernel<Grant>;
  readonly #root: Capability;
  readonly #more: readonly Grant[];

  constructor(live: number) {
    const tags = new TagGenerator((out) => crypto.getRandomValues(out));
    const limits = {
      capabilitiesMax: live + 4 * TOGETHER,
      capabilitiesKept: 0,
      depthMax: 16,
    };
    this.#kernel = new CapabilityKernel(grantAlgebra, tags, limits);
    this.#root = this.#kernel.makeRoot(0, 0);
    for (let index = 0; index < live; index++) this.#derive(flow(index));
    this.#more = Array.from({ length: TOGETHER }, (_, i) => flow(live + i));
  }

  /** Derives some, delegates each, revokes what was delegated, and drops them. */
  measure(): Costs {
    const startMs = performance.now();
    const made = this.#more.map((grant) => this.#derive(grant));
    const derivedMs = performance.now();
    for (const one of made) {
      const given = this.#kernel.delegate(0, one, { to: 1 });
      if ("refused" in given) throw new Error(`caps: ${given.refused}`);
    }
    const delegatedMs = performance.now();
    const ended = made.map((one) => this.#kernel.revoke(0, one));
    const revokedMs = performance.now();
    for (const one of made) ended.push(this.#kernel.drop(0, one));
    for (const nodes of ended) {
      if ("refused" in nodes) throw new Error(`caps: ${nodes.refused}`);
      for (const { slot } of nodes) this.#kernel.drained(slot);
    }
    const eachUs = (fromMs: number, toMs: number) =>
      (toMs - fromMs) * 1000 / TOGETHER;
    return {
      derive: eachUs(startMs, derivedMs),
      delegate: eachUs(derivedMs, delegatedMs),
      revoke: eachUs(delegatedMs, revokedMs),
    };
  }

  /** As a request brings it: the grant is checked first. */
  #derive(asked: Grant): Capability {
    const grant = checkGrant(asked);
    const rights = RIGHTS_ALL;
    const wanted = { grant, rights, quotaPages: 0 };
    const derived = this.#kernel.derive(0, this.#root, wanted);
    if ("refused" in derived) throw new Error(`caps: ${derived.refused}`);
    return derived.capability;
  }
}
