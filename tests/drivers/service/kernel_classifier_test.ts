import assert from "node:assert/strict";
import { given } from "../../../caps/kernel/given.ts";
import type { InstallOrder } from "../../../caps/driver/messages.ts";
import type { KernelProgram } from "../../../caps/driver/program.ts";
import type { DriverInfo } from "../../../drivers/driver.ts";
import { KernelClassifier } from "../../../drivers/service/kernel_classifier.ts";

const MAC = [2, 0, 0, 0, 0, 9];
const PROGRAM: KernelProgram = {
  instructions: new Uint8Array(16),
  maps: [],
  relocations: [],
};
const NOTHING = { version: 1, opened: [], quotas: [] };
const wasm = { module: new Uint8Array(8), memoryPages: 1 };

/** A NIC that refuses what it is told to. */
class Nic {
  refusal: Error | undefined;
  programs = 0;
  readonly info: DriverInfo = {
    name: "scripted",
    mode: "scripted",
    mac: Uint8Array.from(MAC),
    frameBytesMax: 1514,
    partialChecksums: false,
  };

  classify(): void {
    if (this.refusal !== undefined) throw this.refusal;
    this.programs++;
  }
}

function commit(cover?: { why: string; addresses: number[][] }): InstallOrder {
  const kind = "commit";
  return {
    kind,
    ...NOTHING,
    wasm,
    kernel: PROGRAM,
    ...given({ cover }),
  };
}

Deno.test("why a program is only a cover is known until the NIC has its own again", () => {
  const nic = new Nic();
  const classifier = new KernelClassifier(nic);
  assert.equal(classifier.apply(commit()), undefined);
  assert.ok(classifier.active);
  nic.refusal = Object.assign(new Error("refused"), { log: "R1 invalid" });
  assert.equal(classifier.apply(commit()), "refused\nR1 invalid");
  assert.equal(classifier.refusal, undefined, "the one before runs");
  nic.refusal = undefined;
  const cover = { why: "refused\nR1 invalid", addresses: [] };
  assert.equal(classifier.apply(commit(cover)), undefined);
  assert.equal(classifier.refusal, cover.why);
  classifier.apply({ kind: "patch", ...NOTHING, wasm: new Uint32Array() });
  assert.equal(classifier.refusal, cover.why);
  assert.equal(classifier.apply(commit()), undefined);
  assert.equal(classifier.refusal, undefined);
});

Deno.test("a cover that takes all packets to the interface's own address is refused", () => {
  const nic = new Nic();
  const classifier = new KernelClassifier(nic);
  const other = [2, 0, 0, 0, 0, 8];
  const cover = { why: "refused", addresses: [other, MAC] };
  assert.match(classifier.apply(commit(cover))!, /own Ethernet address/);
  assert.equal(nic.programs, 0);
  assert.ok(!classifier.active);
  assert.equal(
    classifier.apply(commit({ ...cover, addresses: [other] })),
    undefined,
  );
  assert.equal(nic.programs, 1);
});

Deno.test("a NIC that cannot classify is not asked to", () => {
  const { info } = new Nic();
  const classifier = new KernelClassifier({ info });
  assert.equal(classifier.apply(commit()), undefined);
  assert.ok(!classifier.active);
  const socket = { instructions: new Uint8Array(8) };
  const order = { ...commit(), socket } as InstallOrder;
  assert.equal(classifier.apply(order), undefined);
});

Deno.test("without a program for it the NIC keeps what it has", () => {
  const nic = new Nic();
  const classifier = new KernelClassifier(nic);
  const { kernel: _kernel, ...without } = commit() as { kernel: unknown };
  assert.equal(classifier.apply(without as InstallOrder), undefined);
  assert.ok(!classifier.active);
  assert.equal(nic.programs, 0);
});

Deno.test("a change of flows goes to the NIC as it is, and why it was refused comes back", () => {
  const nic = new Nic();
  const seen: unknown[] = [];
  const changeFlows = (changes: unknown) => {
    seen.push(changes);
    if (nic.refusal !== undefined) throw nic.refusal;
  };
  const classifier = new KernelClassifier(
    Object.assign(nic, { changeFlows }),
  );
  const kernel = [{ map: 1, key: Uint8Array.of(7) }];
  const patch: InstallOrder = {
    kind: "patch",
    ...NOTHING,
    wasm: new Uint32Array(),
    kernel,
  };
  assert.equal(classifier.apply(patch), undefined);
  assert.ok(classifier.active);
  assert.deepEqual(seen, [kernel]);
  assert.equal(nic.programs, 0);
  nic.refusal = new Error("no room");
  assert.equal(classifier.apply(patch), "no room");
});

Deno.test("a filter goes to the packet socket in place of a program, and why it was refused comes back", () => {
  const nic = new Nic();
  const seen: unknown[] = [];
  let thrown: unknown;
  const admit = (filter: unknown) => {
    seen.push(filter);
    if (thrown !== undefined) throw thrown;
  };
  const classifier = new KernelClassifier(Object.assign(nic, { admit }));
  const socket = { instructions: new Uint8Array(8) };
  const order = { ...commit(), socket } as InstallOrder;
  assert.equal(classifier.apply(order), undefined);
  assert.deepEqual(seen, [socket]);
  assert.ok(!classifier.active, "packets come without tags");
  assert.equal(nic.programs, 0);
  for (
    const [error, why] of [
      [new Error("too long"), "too long"],
      ["in words", "in words"],
      [Object.assign(new Error("refused"), { log: "" }), "refused"],
      [Object.assign(new Error("refused"), { log: 7 }), "refused"],
    ]
  ) {
    thrown = error;
    assert.equal(classifier.apply(order), why);
  }
});

Deno.test("of a long log the end is kept, which says what was wrong", () => {
  const nic = new Nic();
  const classifier = new KernelClassifier(nic);
  const end = "R1 invalid";
  const log = "x".repeat(20_000) + end;
  nic.refusal = Object.assign(new Error("refused"), { log });
  const why = classifier.apply(commit())!;
  assert.equal(why, `refused\n${log.slice(-16_384)}`);
});
