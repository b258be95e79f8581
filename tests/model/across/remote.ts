/** Methods of another thread's: called by message, answered by message. */

import { onFirstMessage } from "../../../caps/port/first_message.ts";
import {
  fromMessagePort,
  type Port,
  takeAll,
} from "../../../caps/port/port.ts";
import { Calls } from "../../../services/runtime/calls.ts";
import {
  startWorker,
  type WorkerPermissions,
} from "../../../services/runtime/start_worker.ts";

/** What can be called: each with one argument, which is cloned, as is what it returns. */
export type Methods = object;

type Method = (argument: never) => unknown;
type Names<M> = { [K in keyof M]: M[K] extends Method ? K : never }[keyof M];
type Argument<F> = F extends (argument: infer A) => unknown ? A : never;
type Returned<F> = F extends (argument: never) => infer R ? Awaited<R> : never;

interface Call {
  readonly id: number;
  readonly name: string;
  readonly argument: unknown;
}

interface Answer {
  readonly id: number;
  readonly returned?: unknown;
  /** Why it was not done. */
  readonly error?: string;
}

/** A worker with methods. */
export class Remote<M extends Methods> {
  readonly #control: Port<Call, Answer>;
  readonly #calls = new Calls<Answer>("a worker of the model's test");
  readonly #end: () => void;
  #failure: string | undefined;

  /** Starts a module that calls {@link serve}. */
  constructor(module: URL, permissions: WorkerPermissions) {
    const { port1, port2 } = new MessageChannel();
    this.#control = fromMessagePort(port1);
    this.#control.onReady = () => {
      for (const answer of takeAll(this.#control)) {
        this.#calls.answer(answer.id, answer);
      }
    };
    this.#end = startWorker({
      module: module.href,
      permissions,
      start: port2,
      transfer: [port2],
      limited: false,
    }, (message) => {
      this.#failure = message;
      this.#calls.abandon();
    });
  }

  /** Calls one of its methods. @throws what that threw. */
  async call<K extends Names<M> & string>(
    name: K,
    argument: Argument<M[K]>,
    transfer: Transferable[] = [],
  ): Promise<Returned<M[K]>> {
    try {
      const { returned, error } = await this.#calls.ask((id) =>
        this.#control.post({ id, name, argument }, transfer)
      );
      if (error !== undefined) throw new Error(error);
      return returned as Returned<M[K]>;
    } catch (error) {
      throw this.#failure === undefined ? error : new Error(this.#failure);
    }
  }

  /** Ends it, at once and without a word. */
  terminate(): void {
    this.#end();
    this.#calls.abandon();
    this.#control[Symbol.dispose]();
  }
}

/** Lets whoever started this worker call `methods`. */
export function serve(methods: Methods): void {
  onFirstMessage((port: MessagePort) => {
    const control = fromMessagePort<Answer, Call>(port);
    control.onReady = () => {
      for (const call of takeAll(control)) void answer(methods, call, control);
    };
  });
}

async function answer(
  methods: Methods,
  { id, name, argument }: Call,
  control: Port<Answer, Call>,
): Promise<void> {
  try {
    const method = Reflect.get(methods, name) as (argument: unknown) => unknown;
    const returned = await method.call(methods, argument);
    control.post({ id, returned });
  } catch (error) {
    const why = error instanceof Error ? error.stack : String(error);
    control.post({ id, error: why ?? "it threw" });
  }
}
