/** The permission table of services/system/README.md, against what the parts are given and what a run really asks for. */

import assert from "node:assert/strict";
import {
  defaultManifest,
  type ManifestInput,
} from "../../services/manifest/manifest.ts";
import { PARTS } from "../../services/system/boot.ts";
import { moduleParts } from "../../services/system/supervision/module_part.ts";
import { nurseryPermissions } from "../../services/system/nursery/host.ts";
import type { WorkerPermissions } from "../../services/runtime/start_worker.ts";
import { freePort } from "../drivers/tunnel/rig.ts";
import { up } from "./up_process.ts";

const README = await Deno.readTextFile(
  new URL("../../services/system/README.md", import.meta.url),
);

const ROOT = new URL("../../", import.meta.url).href;

/** The last cell of the table's row whose first cell is `part`. */
function said(part: string): string {
  const rows = README.split("\n").filter((line) => line.startsWith("|"));
  const cells = rows.map((row) => row.split("|").map((cell) => cell.trim()));
  const row = cells.find(([, first]) => first === part);
  assert.ok(row !== undefined, `the README has no row for ${part}`);
  return row[3]!;
}

function given(manifest: Partial<ManifestInput>): WorkerPermissions {
  const { part, release } = PARTS.nic(defaultManifest(manifest));
  release?.();
  return part.permissions;
}

Deno.test("each part is given the permissions that the README says, and no more", () => {
  assert.equal(said("driver service, `emulated`"), "none");
  assert.equal(given({ nic: "emulated" }), "none");
  assert.match(said("driver service, `xdp:`"), /^ffi,/);
  assert.deepEqual(given({ nic: "xdp:veth0" }), { ffi: true });
  assert.match(
    said('any service with `"place": "driver"`'),
    /^those of the driver service: it is trusted with all of them/,
  );
  assert.equal(said("driver service, `pcap:FILE`"), "read of that one file");
  assert.deepEqual(given({ nic: "pcap:a.pcap" }), { read: ["a.pcap"] });
  assert.equal(said("driver service, `wire:NAME`"), "none");
  assert.equal(given({ nic: "wire:lab" }), "none");
  assert.match(said("driver service, `packet:`, `tap:`, `tun:`"), /^ffi,/);
  for (const nic of ["packet:veth0", "tap:sp0", "tun:sp0"]) {
    assert.deepEqual(given({ nic }), { ffi: true });
  }
  assert.match(
    said("driver service, `udp:LOCAL,PEER,key=FILE`"),
    /^net for its own and its peer's address and port alone, and read of the key$/,
  );
  assert.deepEqual(
    given({ nic: "udp:127.0.0.1:9,10.0.0.1:8,key=k" }),
    { net: ["127.0.0.1:9", "10.0.0.1:8"], read: ["k"] },
  );
  assert.equal(
    said("any of these with `--write FILE`"),
    "write of that one file besides",
  );
  assert.deepEqual(given({ nic: "emulated", write: "b.pcap" }), {
    write: ["b.pcap"],
  });
  assert.deepEqual(given({ nic: "xdp:veth0", write: "b.pcap" }), {
    ffi: true,
    write: ["b.pcap"],
  });
  for (
    const [part, { permissions }] of [
      ["filter service", PARTS.filter],
      ["the peer on an emulated wire", PARTS.peer],
      ...Object.values(PARTS.services).map((
        part,
      ) => ["`arp`, `icmp-echo`, `udp-echo`", part]),
    ] as [string, { permissions: WorkerPermissions }][]
  ) {
    assert.equal(said(part), "none");
    assert.equal(permissions, "none");
  }
});

Deno.test("the nursery has what the driver has, and what loading modules takes", () => {
  assert.match(
    said("nursery"),
    /^those of the driver service, read and import as the main thread had them at first, and run of `deno` alone where the system starts processes/,
  );
  const loads = { read: "inherit", import: "inherit" };
  for (
    const nic of ["emulated", "xdp:veth0", "pcap:a.pcap"] as const
  ) {
    const called = { arp: { core: "arp", place: "driver" } } as const;
    assert.deepEqual(given({ nic, services: called }), given({ nic }));
    const driver = given({ nic });
    const own = driver === "none" ? {} : driver as Record<string, never>;
    assert.deepEqual(nurseryPermissions(driver), { ...own, ...loads });
    assert.deepEqual(nurseryPermissions(driver, "deno"), {
      ...own,
      ...loads,
      run: ["deno"],
    });
  }
});

Deno.test("a third party's service has no permission, and a limited heap", async () => {
  assert.match(said("`--service FILE=TEXT`"), /^none; the main thread reads/);
  const path = new URL("examples/dns_who_am_i.ts", ROOT).pathname;
  const receives = "udp dst port 53";
  const manifest = defaultManifest({
    services: { dns: { core: "module", path, receives } },
  });
  const { dns } = await moduleParts(manifest, { confined: true });
  assert.equal(dns!.permissions, "none");
  assert.equal(dns!.limited, true);
});

interface Asked {
  readonly permission: string;
  readonly value: string | null;
}

/** What a run asked the runtime for, all its threads together. */
async function audit(args: readonly string[]): Promise<readonly Asked[]> {
  const file = await Deno.makeTempFile();
  try {
    const run = await up(args, { env: { DENO_AUDIT_PERMISSIONS: file } });
    assert.equal(run.code, 0, run.err);
    const lines = (await Deno.readTextFile(file)).trim().split("\n");
    const asked = lines.map((line) => JSON.parse(line) as Asked);
    // Without a value: a worker is given some of what there is of a kind.
    return asked.filter(({ value }) => value !== null);
  } finally {
    await Deno.remove(file);
  }
}

/** Whether it is what every run asks for: a module of its own, or its one variable. */
function isUsual({ permission, value }: Asked): boolean {
  return permission === "read" && value?.startsWith(ROOT) === true ||
    permission === "env" && value === "SALLYPORT_DEBUG";
}

Deno.test("a run on the emulated NIC asks for nothing but its own modules and one variable", async () => {
  const asked = await audit(["--for", "1s"]);
  assert.ok(asked.length > 100);
  assert.deepEqual(asked.filter((one) => !isUsual(one)), []);
});

Deno.test("a third party's service makes a run ask for its file besides, and for no variable of the compiler's", async () => {
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    const example = new URL("examples/dns_who_am_i.ts", ROOT);
    await Deno.copyFile(example, file);
    const asked = await audit([
      ...["--for", "1s", "--service", `${file}=udp dst port 53`],
    ]);
    const more = asked.filter((one) => !isUsual(one));
    // For a file that a program opens itself the runtime notes "write" too, given or not.
    assert.deepEqual(new Set(more.map(({ value }) => value)), new Set([file]));
    assert.ok(more.some(({ permission }) => permission === "read"));
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("a run on a tunnel asks for its two addresses and its key besides, and for no other network", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const key = `${folder}/key`;
    await Deno.writeFile(key, new Uint8Array(32), { mode: 0o600 });
    const ends = [`127.0.0.1:${freePort()}`, `127.0.0.1:${freePort()}`];
    const nic = `udp:${ends.join()},key=${key}`;
    const asked = await audit(["--for", "500ms", "--nic", nic]);
    const more = asked.filter((one) => !isUsual(one));
    const of = (kind: string) =>
      new Set(
        more.filter((one) => one.permission === kind)
          .map(({ value }) => value),
      );
    assert.deepEqual(of("net"), new Set(ends));
    assert.deepEqual(of("read"), new Set([key]));
    assert.deepEqual(
      new Set(more.map(({ value }) => value)),
      new Set([...ends, key]),
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("the tasks that start a system have the permission set of that name, and no flag that adds to it", async () => {
  const { default: config } = await import("../../deno.json", {
    with: { type: "json" },
  });
  assert.deepEqual(config.permissions.start, {
    read: true,
    write: true,
    ffi: true,
    net: true,
    run: ["deno"],
    env: ["SALLYPORT_DEBUG", "DENO_DIR"],
  });
  for (const task of [config.tasks.start, config.tasks.sallyport]) {
    assert.match(task, / -P=start --no-prompt /);
    assert.doesNotMatch(task, /--allow| -A| -[RWENSI]\b/);
  }
});
