import { deepEqual, equal, rejects } from "node:assert/strict";
import { readOptions, UsageError } from "../../../cli/command/options.ts";
import { readPlan, UP_OPTIONS } from "../../../cli/up/options.ts";
import { ManifestError } from "../../../services/manifest/manifest.ts";

const MODULE = {
  core: "module",
  path: "./mine.ts",
  receives: "udp dst port 53",
};

const MANIFEST = {
  nic: "emulated",
  address: "10.77.0.2/24",
  services: { arp: { core: "arp" }, mine: MODULE },
};

const FILES = { readText: () => Promise.resolve(JSON.stringify(MANIFEST)) };

function plan(...args: string[]) {
  return readPlan(readOptions(args, UP_OPTIONS), FILES);
}

/** The places of the services of a run with these values of `--place`. */
async function places(...values: string[]) {
  const { manifest } = await plan(
    ...values.flatMap((value) => ["--place", value]),
  );
  return Object.values(manifest.services).map(({ place }) => place);
}

Deno.test("--place says where all services run, and where one does, in whatever order", async () => {
  deepEqual(await places(), ["worker", "worker", "worker"]);
  deepEqual(await places("driver"), ["driver", "driver", "driver"]);
  deepEqual(await places("arp=driver"), ["driver", "worker", "worker"]);
  const mixed = ["worker", "driver", "driver"];
  deepEqual(await places("arp=worker", "driver"), mixed);
  deepEqual(await places("driver", "arp=worker"), mixed);
});

for (
  const [values, says] of [
    [["moon"], /--place "moon": expected "worker" or /],
    [["arp="], /expected "worker" or /],
    [["=driver"], /expected "worker" or /],
    [["arp=driver=driver"], /expected "worker" or /],
    [["nobody=driver"], /no service "nobody"; there are arp, icmp-echo/],
    [["driver", "worker"], /every service was given "driver" already/],
    [["arp=driver", "arp=driver"], /arp was given "driver" already/],
  ] as const
) {
  Deno.test(`--place refuses ${values.join(" and ")}`, async () => {
    await rejects(
      places(...values),
      (error) => error instanceof UsageError && says.test(error.message),
    );
  });
}

Deno.test("--place driver is refused for a module that is not trusted, with the option that said it", async () => {
  for (
    const [value, path] of [
      ["driver", "--place driver"],
      ["mine=driver", "--place driver"],
    ] as const
  ) {
    await rejects(
      plan("--manifest", "m.json", "--place", value),
      (error) => {
        if (!(error instanceof ManifestError)) return false;
        const [problem, ...more] = error.problems;
        deepEqual([problem!.path, more], [[path], []]);
        return /^mine: expected "trusted": true/.test(problem!.message);
      },
    );
  }
  const { manifest } = await plan(
    ...["--manifest", "m.json", "--place", "driver", "--place", "mine=worker"],
  );
  equal(manifest.services.mine!.place, "worker");
});
