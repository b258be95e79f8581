/**
 * A derivation tree that changes, round by round, and a compilation that is kept
 * up to date with it: patched where that will do, rebuilt where not.
 */

import fc from "fast-check";
import { given } from "../../../../caps/kernel/given.ts";
import {
  CapabilityKernel,
  type CapabilityNode,
} from "../../../../caps/kernel/kernel.ts";
import {
  hasRights,
  RIGHT_RECEIVE,
  RIGHTS_ALL,
} from "../../../../caps/kernel/rights.ts";
import { TagGenerator } from "../../../../caps/kernel/tag.ts";
import { capabilityOf } from "../../../../caps/kernel/capability.ts";
import { grantAlgebra } from "../../../../services/filter/siblings/algebra.ts";
import { ipv4, ipv6 } from "../../../../services/filter/grant/builder.ts";
import {
  Compilation,
  type CompileTarget,
  type Patches,
  type Programs,
} from "../../../../services/filter/service/compilation.ts";
import type { Grant } from "../../../../services/filter/grant/grant.ts";
import { compileText } from "../../../../services/filter/language/compile.ts";
import { intersect } from "../../../../services/filter/grant/overlap.ts";
import type { GrantNode } from "../../../../services/filter/tree/merge.ts";
import { CheckCache } from "../../../../services/filter/wasm/permits.ts";
import { witness } from "../../../arbitraries/witness.ts";
import { grantArbitrary } from "../../../arbitraries/grants.ts";

/** One request. Numbers pick among what lives, counted round. */
export type Step =
  | {
    readonly op: "derive";
    readonly from: number;
    readonly grant: Grant;
    readonly residual?: string;
    readonly rights: number;
    readonly sends?: Grant;
  }
  | { readonly op: "drop" | "revoke"; readonly which: number };

/** The address that flows are about, and another, of a holder with flows of its own. */
const OURS = "10.77.0.2";
const ENVELOPE = "10.77.0.9";

const flowArbitrary: fc.Arbitrary<Grant> = fc.record({
  kind: fc.constantFrom("udp", "udp", "tcp", "both", "six", "vlan", "inner"),
  port: fc.integer({ min: 1, max: 48 }),
  peer: fc.integer({ min: 1, max: 3 }),
}).map(({ kind, port, peer }) => flowOf(kind, port, peer));

/** Exact flows of some shapes; some have two conjunctions, or two for one VLAN. */
function flowOf(kind: string, port: number, peer: number): Grant {
  const tcp = (to: string) =>
    ipv4().tcp().src(`10.78.0.${peer}`).dst(to).srcPort(port).dstPort(443)
      .grant;
  switch (kind) {
    case "udp":
      return ipv4().udp().dst(OURS).dstPort(port).grant;
    case "tcp":
      return tcp(OURS);
    case "inner":
      return tcp(ENVELOPE);
    case "both":
      return [
        ...ipv4().udp().dst(OURS).dstPort(100 + port).grant,
        ...ipv4().tcp().dst(OURS).dstPort(100 + port).grant,
      ];
    case "six":
      return ipv6().udp().dst(`2001:db8::${peer}`).dstPort(port).grant;
    default:
      return ipv4().udp().dst(OURS).dstPort(port).grant
        .map((one) => ({ vlan: 7, ...one }));
  }
}

const stepArbitrary: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 7,
    arbitrary: fc.record({
      op: fc.constant("derive" as const),
      from: fc.oneof(fc.constant(0), fc.constant(0), fc.nat(60)),
      grant: fc.oneof(
        { weight: 12, arbitrary: flowArbitrary },
        { weight: 1, arbitrary: grantArbitrary },
      ),
      rights: fc.constantFrom(
        RIGHTS_ALL,
        RIGHTS_ALL,
        RIGHTS_ALL & ~RIGHT_RECEIVE,
      ),
      sends: fc.option(fc.oneof(flowArbitrary, grantArbitrary), {
        nil: undefined,
        freq: 1,
      }),
    }).map(({ sends, ...step }) =>
      sends === undefined ? step : { ...step, sends }
    ),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      op: fc.constantFrom("drop" as const, "drop" as const, "revoke" as const),
      which: fc.nat(60),
    }),
  },
);

/** Rounds of some requests each: those that are installed together. */
export const roundsArbitrary: fc.Arbitrary<Step[][]> = fc.array(
  fc.array(stepArbitrary, { minLength: 1, maxLength: 5 }),
  { minLength: 1, maxLength: 20 },
);

/** Rounds of steps with filter text on some of what is derived. */
export const textRoundsArbitrary: fc.Arbitrary<Step[][]> = fc.tuple(
  roundsArbitrary,
  fc.array(
    fc.constantFrom(undefined, undefined, "less 60", "ip[8] = 0", "tcp[13]=2"),
    { minLength: 1, maxLength: 9 },
  ),
).map(([rounds, texts]) => {
  let derived = 0;
  return rounds.map((steps) =>
    steps.map((step) => {
      const residual = texts[derived++ % texts.length];
      return step.op !== "derive" || residual === undefined
        ? step
        : { ...step, residual };
    })
  );
});

/** What one round came to. */
export type Outcome =
  | { readonly programs: Programs }
  | { readonly patches: Patches };

/** The tree, and what is installed of it. */
export class CompilationModel {
  /** Grants that were ever asked for. */
  readonly grants: Grant[] = [];
  readonly #target: CompileTarget;
  readonly #kernel = new CapabilityKernel(
    grantAlgebra,
    new TagGenerator((out) => out.fill(7)),
    { capabilitiesMax: 2000, capabilitiesKept: 0, depthMax: 8 },
  );
  readonly #checks = new CheckCache();
  #compilation: Compilation | undefined;

  /** A tree with a holder and some flows of most shapes, so that there are tables. */
  constructor(target: CompileTarget) {
    this.#target = target;
    this.#kernel.makeRoot(0, 100000);
    this.#apply([derive(0, ipv4().dst(ENVELOPE).grant)]);
    const flows: Step[] = [];
    for (let port = 1; port <= 18; port++) {
      for (const kind of ["udp", "tcp", "both", "six", "vlan"]) {
        flows.push(derive(0, flowOf(kind, port, 1 + port % 2)));
      }
      flows.push(derive(1, flowOf("inner", port, 1 + port % 2)));
    }
    this.#apply(flows);
  }

  /** Everything that lives, parents before children. */
  get live(): CapabilityNode<Grant>[] {
    const below = (node: CapabilityNode<Grant>): CapabilityNode<Grant>[] => [
      node,
      ...[...node.children].flatMap(below),
    ];
    return [...this.#kernel.root!.children].flatMap(below);
  }

  /** Roots that live, as the interpreter takes them. */
  get roots(): GrantNode[] {
    const grantNode = (node: CapabilityNode<Grant>): GrantNode => ({
      slot: hasRights(node.rights, RIGHT_RECEIVE) ? node.slot : 0,
      grant: node.grant,
      ...(node.residual === undefined ? {} : {
        residual: compileText(node.residual, { linkType: "ethernet" }),
      }),
      children: [...node.children].map(grantNode),
    });
    return [...this.#kernel.root!.children].map(grantNode);
  }

  /** A frame of each grant that was asked for, and of every two neighbours together. */
  frames(): Uint8Array<ArrayBuffer>[] {
    const all = this.grants.flat();
    return all.flatMap((one, index) => {
      const both = intersect(one, all[(index * 7 + 3) % all.length]!);
      return both === undefined
        ? [witness(one)]
        : [witness(one), witness(both)];
    });
  }

  /**
   * Derives `count` flows, by their source, from one that is a flow itself.
   * @returns frames of theirs, and which of all that lives is their parent.
   */
  deriveUnderFlow(
    count: number,
  ): { frames: Uint8Array<ArrayBuffer>[]; flows: number } {
    const parent = flowOf("udp", 1, 1);
    const flows = this.live.findIndex(({ grant }) =>
      JSON.stringify(grant) === JSON.stringify(parent)
    );
    const inner = Array.from(
      { length: count },
      (_, index) => ipv4().src(`10.79.0.${index}`).grant,
    );
    this.#apply(inner.map((grant) => derive(1 + flows, grant)));
    const frames = inner.map((grant) =>
      witness(intersect(parent[0]!, grant[0]!)!)
    );
    return { frames, flows };
  }

  /** Compiles all that lives, and counts it as installed. */
  compileNow(): Programs {
    this.#compilation = this.#compile();
    return this.#compilation.programs;
  }

  #compile(): Compilation {
    return new Compilation(this.#kernel.root!, this.#target, this.#checks);
  }

  /** Takes a round of requests, and brings what is installed up to date. */
  round(steps: readonly Step[]): Outcome {
    const changes = this.#apply(steps);
    const patches = this.#compilation?.change(changes);
    if (patches !== undefined) return { patches };
    return { programs: this.compileNow() };
  }

  #apply(steps: readonly Step[]): {
    opened: CapabilityNode<Grant>[];
    ended: CapabilityNode<Grant>[];
  } {
    const opened = new Set<CapabilityNode<Grant>>();
    const ended: CapabilityNode<Grant>[] = [];
    for (const step of steps) {
      const live = [this.#kernel.root!, ...this.live];
      if (step.op === "derive") {
        const { from, grant, residual, rights, sends } = step;
        this.grants.push(grant);
        const parent = live[from % live.length]!;
        const derived = this.#kernel.derive(0, capabilityOf(parent.tag), {
          grant,
          rights,
          quotaPages: 0,
          ...given({ residual, sends }),
        });
        if ("node" in derived) opened.add(derived.node);
        continue;
      }
      const node = live[1 + step.which % Math.max(1, live.length - 1)];
      if (node === undefined) continue;
      const gone = this.#kernel[step.op](0, capabilityOf(node.tag));
      if ("refused" in gone) continue;
      ended.push(...gone);
      for (const one of gone) {
        opened.delete(one);
        // Its slot is the next one's to get.
        this.#kernel.drained(one.slot);
      }
    }
    return { opened: [...opened], ended };
  }
}

function derive(from: number, grant: Grant): Step {
  return { op: "derive", from, grant, rights: RIGHTS_ALL };
}
