/** Ports between the services of whole systems: in this thread, and between confined workers. */

import { delay } from "@std/async/delay";
import { equal, match, ok, rejects } from "node:assert/strict";
import {
  boot,
  defaultManifest,
  type ManifestInput,
  type ServiceFactory,
  type ServiceSnapshot,
  type System,
} from "../../mod.ts";
import answering from "./answering_module.ts";
import asking from "./asking_module.ts";
import { readPicture } from "./pictured.ts";

const pathOf = (name: string) => new URL(name, import.meta.url).pathname;

const SERVICES = {
  asking: {
    core: "module",
    path: pathOf("asking_module.ts"),
    receives: "arp",
    sends: "udp src port 4001",
    ports: { sum: "answering" },
  },
  answering: {
    core: "module",
    path: pathOf("answering_module.ts"),
    receives: "udp dst port 4002",
    restart: "always",
  },
} as const satisfies ManifestInput["services"];

const MODULES: Readonly<Record<string, ServiceFactory>> = {
  asking,
  answering,
};

/** How long something may take on a busy machine. */
const PATIENCE_MS = 60_000;

/** Waits until the services are as `holds` says, and gives them. */
async function servicesWhen(
  system: System,
  holds: (asking: ServiceSnapshot, answering: ServiceSnapshot) => boolean,
): Promise<readonly [ServiceSnapshot, ServiceSnapshot]> {
  const endMs = performance.now() + PATIENCE_MS;
  for (;;) {
    const { services } = await system.snapshot();
    const [asking, answering] = services as [ServiceSnapshot, ServiceSnapshot];
    if (holds(asking, answering)) return [asking, answering];
    if (performance.now() > endMs) throw new Error(JSON.stringify(services));
    await delay(20);
  }
}

const sumOf = (
  { counters }: ServiceSnapshot,
  ...names: readonly string[]
): number => names.reduce((sum, name) => sum + (counters[name] ?? 0), 0);

const WAYS = [
  ["in one thread", "worker", false],
  ["between confined workers", "worker", true],
  ["in one thread, called by the driver", "driver", false],
  ["in the driver's thread", "driver", true],
] as const;

for (const [where, place, confined] of WAYS) {
  const options = { confined, ...(confined ? {} : { modules: MODULES }) };
  const asked = { ...SERVICES.asking, place, trusted: place === "driver" };
  const answered = {
    ...SERVICES.answering,
    place,
    trusted: place === "driver",
  };

  Deno.test(`services ask and are told ${where}, also when the other one fails and starts again`, async () => {
    const system = await boot(
      defaultManifest({ services: { asking: asked, answering: answered } }),
      options,
    );
    try {
      const [asking, answering] = await servicesWhen(
        system,
        (asking, answering) =>
          answering.restarts >= 3 && sumOf(asking, "came") >= 4 &&
          // Not in the middle of the next restart.
          asking.ports![0]!.peers.length === 1 &&
          (answering.ports?.[0]?.counters["requests"] ?? 0) > 0,
      );
      equal(sumOf(asking, "wrong"), 0);
      ok(sumOf(asking, "right") >= 250, JSON.stringify(asking.counters));
      ok(sumOf(asking, "told-ten-more") >= 20);
      ok(sumOf(asking, "went") >= 3);
      const [port, ...others] = asking.ports!;
      equal(others.length, 0);
      equal(`${port!.side} ${port!.name} ${port!.peers}`, "ask sum answering");
      ok(port!.counters["unavailable"]! > 0, "while nobody was there");
      equal(port!.counters["malformed"], undefined);
      equal(answering.ports![0]!.name, "sums");
      equal(answering.ports![0]!.peers.join(), "asking");
    } finally {
      await system.stop();
    }
  });

  Deno.test(`a picture shows who may ask whom ${where}`, async () => {
    const system = await boot(
      defaultManifest({
        services: {
          asking: asked,
          answering: { ...answered, restart: "never" },
        },
      }),
      options,
    );
    try {
      const channel = "service asking -- port sum -- service answering";
      ok(readPicture(await system.picture()).channels.includes(channel));
      // It fails, and is given up.
      await servicesWhen(system, (_, { state }) => state === "failed");
      const { channels } = readPicture(await system.picture());
      ok(!channels.includes(channel), channels.join("\n"));
      const [asking] = await servicesWhen(
        system,
        (asking) => asking.ports?.[0]?.peers.length === 0,
      );
      equal(asking.state, "running");
    } finally {
      await system.stop();
    }
  });
}

/** Asks with kinds of fields of its own, which have an honest one's name and write what they like. */
const lying: ServiceFactory = (kit) => ({
  ...asking(kit),
  make(_settings, ports) {
    let state = 1;
    const random = (below: number) =>
      (state = Math.imul(state, 1_103_515_245) + 12_345 >>> 0) % below;
    const { fields, portInterface } = kit.ports;
    const sums = portInterface({
      name: "sums",
      request: {
        ...fields.record({ a: fields.u16, b: fields.u16 }),
        write(into) {
          const { bytes, at } = into;
          const many = random(60);
          for (let i = 0; i < many; i++) {
            bytes[4 + random(at + 8)] = random(256);
          }
          into.at = at + random(9) - 2;
        },
      },
      answer: fields.u32,
      push: fields.text(20),
    });
    const sum = ports.ask("sum", sums);
    let wakeAt = 0;
    return {
      receive: () => "handled",
      counters: () => ({}),
      get wakeAt() {
        return wakeAt;
      },
      wake(now) {
        wakeAt = now + 1000;
        sum.ask({ a: 1, b: 2 }, () => {});
      },
    };
  },
});

Deno.test("a service that lies to another is cut off, and who is honest is answered", async () => {
  const system = await boot(
    defaultManifest({
      services: {
        asking: SERVICES.asking,
        answering: { ...SERVICES.answering, restart: "always" },
        lying: {
          ...SERVICES.asking,
          path: "lying",
          receives: "udp dst port 4003",
          sends: "udp src port 4003",
          restart: "always",
        },
      },
    }),
    {
      confined: false,
      modules: {
        ...MODULES,
        lying: (kit) => ({
          ...lying(kit),
          receives: () => kit.filter.grant("udp dst port 4003"),
          sends: () => kit.filter.grant("udp src port 4003"),
        }),
      },
    },
  );
  try {
    const [asking, answering] = await servicesWhen(
      system,
      (asking, { ports }) =>
        (ports?.[0]?.counters["cut-off"] ?? 0) > 0 &&
        sumOf(asking, "right") > 100,
    );
    equal(sumOf(asking, "wrong"), 0);
    ok(answering.ports![0]!.counters["malformed"]! > 0);
    equal(asking.state, "running");
  } finally {
    await system.stop();
  }
});

/** Starts the two in this thread, with `ports` and another module in place of the one that answers. */
async function start(
  ports: Record<string, string>,
  modules: Partial<typeof MODULES> = {},
): Promise<void> {
  const services = { ...SERVICES, asking: { ...SERVICES.asking, ports } };
  const system = await boot(defaultManifest({ services }), {
    confined: false,
    modules: { ...MODULES, ...modules } as typeof MODULES,
  });
  await system.stop();
}

Deno.test("a port that the service has not opened is told when it starts", async () => {
  await rejects(start({ summ: "answering" }), {
    message:
      'service asking did not start: the manifest gives it a port "summ", and it has opened "sum"',
  });
});

Deno.test("a service that does not answer what is asked is told when it starts, with both", async () => {
  const other: ServiceFactory = (kit) => ({
    ...answering(kit),
    make(_settings, ports) {
      const { fields, portInterface } = kit.ports;
      ports.answer(
        portInterface({ name: "sums", request: fields.u8, answer: fields.u8 }),
        { onRequest: () => undefined },
      );
      return {
        wakeAt: Infinity,
        wake() {},
        receive: () => "handled",
        counters: () => ({}),
      };
    },
  });
  await rejects(start({ sum: "answering" }, { answering: other }), (error) => {
    match(
      (error as Error).message,
      /^service asking did not start: its port "sum" is for sums \{a:u16,b:u16\} -> u32, text\(20\), and service answering answers sums u8 -> u8, \{\}$/,
    );
    return true;
  });
});

Deno.test("a service whose port is given to nobody runs, and asks in vain", async () => {
  const services = { asking: { ...SERVICES.asking, ports: {} } };
  const system = await boot(defaultManifest({ services }), {
    confined: false,
    modules: { asking },
  });
  try {
    const [{ ports, counters }] = await servicesWhen(
      system,
      ({ ports }) => (ports?.[0]?.counters["unavailable"] ?? 0) > 10,
    );
    equal(ports![0]!.peers.length, 0);
    equal(Object.keys(counters).length, 0);
  } finally {
    await system.stop();
  }
});
