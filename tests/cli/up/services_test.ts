import { deepEqual, equal, rejects, throws } from "node:assert/strict";
import { readOptions, UsageError } from "../../../cli/command/options.ts";
import { readPlan, UP_OPTIONS } from "../../../cli/up/options.ts";
import { ManifestError } from "../../../services/manifest/manifest.ts";

const NO_FILES = {
  readText: () => Promise.reject(new Error("no file is to be read")),
};

function plan(...args: string[]) {
  return readPlan(readOptions(args, UP_OPTIONS), NO_FILES);
}

Deno.test("each --service adds a service, named by its file, beside those of the manifest", async () => {
  const { manifest, confined } = await plan(
    ...["--service", "./my_time.v2.ts=udp dst port 37"],
    "--service=dir/DNS.js=udp dst port 53 or tcp dst port 53",
  );
  equal(confined, true);
  deepEqual(Object.keys(manifest.services), [
    ...["arp", "icmp-echo", "udp-echo", "my-time-v2", "dns"],
  ]);
  deepEqual(manifest.services["my-time-v2"], {
    core: "module",
    path: "./my_time.v2.ts",
    receives: "udp dst port 37",
    quotaPages: 64,
    copyBytesMax: 2048,
    place: "worker",
    restart: 5,
  });
  const dns = manifest.services["dns"]!;
  equal(
    "receives" in dns && dns.receives,
    "udp dst port 53 or tcp dst port 53",
  );
});

for (
  const [args, says] of [
    [["./a.ts"], /expected a file and what the service may receive/],
    [["./a.ts="], /expected a file and what the service may receive/],
    [["./a.ts=   "], /expected a file and what/],
    [["=udp"], /expected a file and what/],
    [["./a.ts=udp", "./b/a.ts=tcp"], /another one is named a; rename a file/],
    [["./arp.ts=udp"], /the manifest has a service arp already/],
  ] as const
) {
  Deno.test(`--service refuses ${args.join(" and ")}`, async () => {
    const words = args.flatMap((value) => ["--service", value]);
    await rejects(
      plan(...words),
      (error) => error instanceof UsageError && says.test(error.message),
    );
  });
}

Deno.test("a text that no capability can stand for is told with the file that it is for", async () => {
  for (const text of ["udp[8] = 1", "udp dst prt 7", "len > 100"]) {
    await rejects(
      plan("--service", `./a.ts=${text}`),
      (error) =>
        error instanceof ManifestError &&
        error.message.startsWith(
          "--service: ./a.ts: expected a filter text that a capability can stand for: ",
        ) && !error.message.includes("\n"),
    );
  }
});

Deno.test("services of one's own are never run unconfined", async () => {
  await rejects(
    plan("--in-process", "--service", "./a.ts=udp"),
    /runs confined only; leave out --in-process/,
  );
});

Deno.test("options that do not repeat are still given once", () => {
  throws(() => readOptions(["--nic=a", "--nic=b"], UP_OPTIONS), /twice/);
});
