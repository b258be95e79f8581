/** The README's permission table, against what the parts are given and what a run really asks for. */

import assert from "node:assert/strict";
import {
  defaultManifest,
  type ManifestInput,
} from "../../services/manifest.ts";
import { PARTS } from "../../services/system.ts";
import type { WorkerPermissions } from "../../services/thread.ts";
import { up } from "./up_process.ts";

const README = await Deno.readTextFile(
  new URL("../../README.md", import.meta.url),
);

/** The last cell of the table's row whose first cell is `part`. */
function said(part: string): string {
  const rows = README.split("\n").filter((line) => line.startsWith("|"));
  const cells = rows.map((row) => row.split("|").map((cell) => cell.trim()));
  const row = cells.find(([, first]) => first === part);
  assert.ok(row !== undefined, `the README has no row for ${part}`);
  return row[3]!;
}

function given(manifest: Partial<ManifestInput>): WorkerPermissions {
  return PARTS.nic(defaultManifest(manifest)).part.permissions;
}

Deno.test("each part is given the permissions that the README says, and no more", () => {
  assert.equal(said("driver service, `emulated`"), "none");
  assert.equal(given({ nic: "emulated" }), "none");
  assert.match(said("driver service, `xdp:`"), /^ffi,/);
  assert.deepEqual(given({ nic: "xdp:veth0" }), { ffi: true });
  assert.equal(said("driver service, `pcap:FILE`"), "read of that one file");
  assert.deepEqual(given({ nic: "pcap:a.pcap" }), { read: ["a.pcap"] });
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

Deno.test("a run on the emulated NIC asks for nothing but its own modules and one variable", async () => {
  const audit = await Deno.makeTempFile();
  try {
    const run = await up(["--for", "1s"], {
      env: { DENO_AUDIT_PERMISSIONS: audit },
    });
    assert.equal(run.code, 0, run.err);
    const root = new URL("../../", import.meta.url).href;
    const asked = (await Deno.readTextFile(audit)).trim().split("\n")
      .map((line) => JSON.parse(line) as { permission: string; value: string });
    assert.ok(asked.length > 100);
    for (const { permission, value } of asked) {
      const own = permission === "read" && value.startsWith(root);
      assert.ok(
        own || (permission === "env" && value === "SALLYPORT_DEBUG"),
        `${permission} ${value}`,
      );
    }
  } finally {
    await Deno.remove(audit);
  }
});
