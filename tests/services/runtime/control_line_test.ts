import { deepEqual, equal, rejects } from "node:assert/strict";
import { given } from "../../../caps/kernel/given.ts";
import { fromMessagePort, type Port } from "../../../caps/port/port.ts";
import { NoAnswerError } from "../../../services/runtime/calls.ts";
import { ControlLine } from "../../../services/runtime/control_line.ts";

type Order =
  | { readonly kind: "go" }
  | { readonly kind: "count" | "ping"; readonly id: number }
  | { readonly kind: "stop" };
type Report =
  | { readonly kind: "gone" }
  | { readonly kind: "counts"; readonly id: number; readonly count: number }
  | { readonly kind: "pong"; readonly id: number };

/** A line, and the part's end of it. */
class Rig implements Disposable {
  readonly reports: string[] = [];
  nonsense = 0;
  readonly line: ControlLine<Order, Report>;
  readonly part: Port<unknown, Order>;

  constructor(read?: (message: unknown) => Report | undefined) {
    const { port1, port2 } = new MessageChannel();
    this.line = new ControlLine<Order, Report>(port1, {
      whom: "the part",
      onReport: ({ kind }) => this.reports.push(kind),
      onNonsense: () => this.nonsense++,
      ...given({ read }),
    });
    this.part = fromMessagePort(port2);
  }

  /** The next order that comes to the part. */
  async order(): Promise<Order> {
    const arrived = this.part.take();
    if (arrived !== undefined) return arrived;
    await new Promise<void>((resolve) => this.part.onReady = resolve);
    return this.part.take()!;
  }

  [Symbol.dispose](): void {
    this.line.close();
    this.part[Symbol.dispose]();
  }
}

const count = (id: number): Order => ({ kind: "count", id });

Deno.test("orders come in order, questions are answered by number, reports are told", async () => {
  using rig = new Rig();
  const { line, part } = rig;
  const first = line.ask("counts", count);
  line.send({ kind: "go" });
  const second = line.ask("pong", (id) => ({ kind: "ping", id }));
  deepEqual(
    [await rig.order(), await rig.order(), await rig.order()],
    [{ kind: "count", id: 1 }, { kind: "go" }, { kind: "ping", id: 2 }],
  );
  part.post({ kind: "pong", id: 2 });
  part.post({ kind: "gone" });
  part.post({ kind: "pong", id: 7 });
  part.post({ kind: "counts", id: 1, count: 5 });
  deepEqual(await second, { kind: "pong", id: 2 });
  deepEqual(await first, { kind: "counts", id: 1, count: 5 });
  deepEqual([rig.reports, rig.nonsense], [["gone"], 1]);
});

Deno.test("an answer of another kind fails the question", async () => {
  using rig = new Rig();
  const asked = rig.line.ask("counts", count);
  await rig.order();
  rig.part.post({ kind: "pong", id: 1 });
  await rejects(asked, { message: "the part answered another question" });
});

Deno.test("what cannot be read is nonsense, and told as such", async () => {
  using rig = new Rig((message) =>
    typeof message === "object" && message !== null && "kind" in message
      ? message as Report
      : undefined
  );
  const asked = rig.line.ask("pong", (id) => ({ kind: "ping", id }));
  await rig.order();
  for (const garbage of [null, 7, "pong", {}, [1]]) rig.part.post(garbage);
  rig.part.post({ kind: "pong", id: 1 });
  await asked;
  deepEqual([rig.nonsense, rig.reports], [5, []]);
});

Deno.test("a line that is abandoned or closed leaves nobody waiting; closing stops the part", async () => {
  using rig = new Rig();
  const abandoned = rig.line.ask("counts", count);
  rig.line.abandon();
  await rejects(abandoned, NoAnswerError);
  const closed = rig.line.ask("counts", count);
  rig.line.close();
  await rejects(closed, NoAnswerError);
  await rejects(rig.line.ask("counts", count), {
    message: "the part cannot be asked: the port is closed",
  });
  rig.line.send({ kind: "go" });
  const kinds = [await rig.order(), await rig.order(), await rig.order()];
  deepEqual(kinds.map(({ kind }) => kind), ["count", "count", "stop"]);
  equal(rig.part.take(), undefined);
});
