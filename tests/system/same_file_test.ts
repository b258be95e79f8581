/** boot() refuses to write over what it reads, or twice to one file, however the two are named. */

import { deepEqual, equal, rejects } from "node:assert/strict";
import { boot, defaultManifest, type ManifestInput } from "../../mod.ts";
import { describeSameFile } from "../../drivers/capture/named_file.ts";
import { writeCapture } from "../drivers/capture/captures.ts";

const CAPTURE = writeCapture("pcap", []);

/** Runs `body` in a folder with a capture, `in.pcap`, and names for it. */
async function inFolder(
  body: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = Deno.makeTempDirSync();
  try {
    Deno.writeFileSync(`${folder}/in.pcap`, CAPTURE);
    Deno.linkSync(`${folder}/in.pcap`, `${folder}/hard.pcap`);
    Deno.symlinkSync("in.pcap", `${folder}/soft.pcap`);
    Deno.symlinkSync(folder, `${folder}/loop`);
    Deno.symlinkSync("new.pcap", `${folder}/dangling.pcap`);
    await body(folder);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

const log = (file: string): ManifestInput["services"] => ({
  arp: { core: "arp", interpose: [{ log: { file } }] },
});

for (
  const [what, fields] of [
    [
      "a hard link",
      (at) => ({ nic: "pcap:in.pcap", write: `${at}/hard.pcap` }),
    ],
    [
      "a symbolic link",
      (at) => ({ nic: "pcap:in.pcap", write: `${at}/soft.pcap` }),
    ],
    ["./", (at) => ({ nic: "pcap:in.pcap", write: `${at}/./in.pcap` })],
    [
      "a folder's link",
      (at) => ({ nic: "pcap:in.pcap", write: `${at}/loop/in.pcap` }),
    ],
    [
      "a log",
      (at) => ({ nic: "pcap:in.pcap", services: log(`${at}/hard.pcap`) }),
    ],
    [
      "no file yet",
      (at) => ({
        nic: "emulated",
        write: `${at}/new.pcap`,
        services: log(`${at}/./new.pcap`),
      }),
    ],
    [
      "a link to no file yet",
      (at) => ({
        nic: "emulated",
        write: `${at}/new.pcap`,
        services: log(`${at}/dangling.pcap`),
      }),
    ],
  ] as readonly [string, (at: string) => Partial<ManifestInput>][]
) {
  Deno.test(`a file that is read or written is not written besides by another name: ${what}`, () =>
    inFolder(async (folder) => {
      const { nic, ...rest } = fields(folder);
      const manifest = defaultManifest({
        ...rest,
        nic: nic!.replace("in.pcap", `${folder}/in.pcap`),
      });
      await rejects(
        boot(manifest, { confined: false }),
        /^Error: boot: (nic|write) and (write|log of arp) name the same file, ".*" and ".*"$/,
      );
      deepEqual(Deno.readFileSync(`${folder}/in.pcap`), CAPTURE);
    }));
}

Deno.test("a device takes what is written several times", async () => {
  const manifest = defaultManifest({
    nic: "emulated",
    services: {
      arp: log("/dev/null")["arp"]!,
      ping: {
        core: "icmp-echo",
        interpose: [{ log: { file: "/dev/./null" } }],
      },
    },
  });
  const system = await boot(manifest, { confined: false });
  await system.stop();
});

Deno.test("a file that nothing else could be is not looked at, for which the user might be asked", () => {
  const { statSync } = Deno;
  let looks = 0;
  Deno.statSync = (path) => {
    looks++;
    return statSync(path);
  };
  try {
    const written = { name: "write", path: "x", way: "written" } as const;
    const read = { name: "nic", path: "x", way: "read" } as const;
    equal(describeSameFile([written]), undefined);
    equal(describeSameFile([read, read]), undefined);
    equal(looks, 0);
    describeSameFile([read, { ...written, path: "y" }]);
    equal(looks > 0, true);
  } finally {
    Deno.statSync = statSync;
  }
});
