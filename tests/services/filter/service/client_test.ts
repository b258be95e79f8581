/** A holder's side alone: the test answers. */

import { deepEqual, equal, rejects } from "node:assert/strict";
import { makePipe, type Port, takeAll } from "../../../../caps/port/port.ts";
import type { Capability } from "../../../../caps/kernel/capability.ts";
import {
  FilterClient,
  RefusedError,
} from "../../../../services/filter/service/client.ts";
import type {
  FilterReply,
  FilterRequest,
} from "../../../../services/filter/service/messages.ts";

const ONE = 1n as Capability;
const ASKED = { from: ONE, grant: [{}], rights: 1, quotaPages: 0 };

function makeClient(): {
  client: FilterClient;
  service: Port<FilterReply, FilterRequest>;
} {
  const [port, service] = makePipe<FilterRequest, FilterReply>();
  return { client: new FilterClient(port), service };
}

/** Every kind of question, with its answer's right form. */
const QUESTIONS: Readonly<
  Record<string, (client: FilterClient) => Promise<unknown>>
> = {
  derive: (client) => client.derive(ASKED),
  delegate: (client) => client.delegate({ capability: ONE, to: 2 }),
  close: (client) => client.end("close", ONE),
  revoke: (client) => client.end("revoke", ONE),
  drop: (client) => client.end("drop", ONE),
  account: (client) => client.account(ONE),
};

for (const [op, ask] of Object.entries(QUESTIONS)) {
  Deno.test(`${op} is asked once, under a number of its own, and a refusal is thrown with its reason`, async () => {
    const { client, service } = makeClient();
    const [first, second] = [ask(client), ask(client)];
    const requests = [...takeAll(service)];
    deepEqual(requests.map((request) => request.op), [op, op]);
    equal(new Set(requests.map(({ id }) => id)).size, 2);
    // The answers come the other way round.
    for (const { id } of requests.reverse()) {
      service.post({ id, refused: "void", message: `no ${id}` });
    }
    const [{ id: late }, { id: early }] = requests as [
      FilterRequest,
      FilterRequest,
    ];
    for (const [asked, id] of [[first, early], [second, late]] as const) {
      await rejects(asked, (error) => {
        const { name, refused, message } = error as RefusedError;
        deepEqual([name, refused, message], [
          ...["RefusedError", "void", `no ${id}`],
        ]);
        return error instanceof RefusedError;
      });
    }
  });
}

Deno.test("an answer to another question is an error, not a capability or an account", async () => {
  for (const op of ["derive", "delegate", "account"]) {
    const { client, service } = makeClient();
    const asked = QUESTIONS[op]!(client);
    service.post({ id: service.take()!.id, done: true });
    await rejects(asked, {
      name: "RefusedError",
      refused: "invalid",
      message: "the filter service answered another question",
    });
  }
});

Deno.test("what is asked for is given: a capability, an account, or that it is done", async () => {
  const { client, service } = makeClient();
  const account = {
    ...{ heldPages: 1, quotaPages: 2, deliveredPackets: 3, deliveredBytes: 4 },
    ...{ sentPackets: 5, sentBytes: 6, drops: {} },
  };
  const all = Object.values(QUESTIONS).map((ask) => ask(client));
  for (const { id, op } of takeAll(service)) {
    if (op === "derive") service.post({ id, capability: 7n });
    else if (op === "delegate") service.post({ id, capability: 8n });
    else if (op === "account") service.post({ id, account });
    else service.post({ id, done: true });
  }
  deepEqual(await Promise.all(all), [
    ...[7n, 8n, undefined, undefined, undefined, account],
  ]);
});
