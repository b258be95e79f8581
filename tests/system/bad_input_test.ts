/** What cannot be run is refused in one line that says what to do, and leaves nothing behind. */

import assert from "node:assert/strict";
import { INTERFACE, makeNamespacePair, NETNS_NEEDS } from "../netns.ts";
import { testWith } from "../needs.ts";
import { processesIn, up, type UpOptions, UpProcess } from "./up_process.ts";

/** Runs what must be refused; its one line. */
async function refusal(
  args: readonly string[],
  status = 1,
  options: UpOptions = {},
): Promise<string> {
  const { code, out, err } = await up(["--for", "20s", ...args], options);
  assert.match(err, /^sallyport: [^\n]*\n$/);
  assert.equal(out, "");
  assert.equal(code, status);
  return err.slice("sallyport: ".length, -1);
}

/** A folder with files of these contents, removed by `await using`. */
async function makeFolder(files: Readonly<Record<string, BlobPart>> = {}) {
  const path = await Deno.makeTempDir();
  for (const [name, content] of Object.entries(files)) {
    const bytes = await new Blob([content]).bytes();
    await Deno.writeFile(`${path}/${name}`, bytes);
  }
  return {
    path,
    names: () => [...Deno.readDirSync(path)].map(({ name }) => name).sort(),
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}

Deno.test("a manifest that is wrong, or none, is refused before anything is started", async () => {
  await using folder = await makeFolder({
    "cut.json": '{"nic":',
    "core.json":
      '{"nic":"emulated","address":"10.0.0.2/24","services":{"a":{"core":"telnet"}}}',
  });
  const manifest = (name: string) => ["--manifest", `${folder.path}/${name}`];
  assert.match(
    await refusal(manifest("core.json"), 2),
    /^services\.a\.core: expected "arp" or .*, got "telnet" \(in ".*core\.json"\)$/,
  );
  assert.match(
    await refusal(manifest("cut.json"), 2),
    /^--manifest ".*cut\.json": it is not JSON/,
  );
  assert.match(
    await refusal(manifest("none.json")),
    /^--manifest ".*none\.json": cannot read it \(No such file/,
  );
  assert.match(
    await refusal(["--nic", "token:ring0"], 2),
    /^--nic: expected emulated, .* or udp:LOCAL,PEER,key=FILE, got "token:ring0"$/,
  );
});

Deno.test("a capture that is missing, a folder, empty or none at all is refused, and nothing is written", async () => {
  await using folder = await makeFolder({
    "empty.pcap": "",
    "text.pcap": "This is a text about captures, not one of them.",
    "header.pcapng": new Uint8Array([10, 13, 13, 10, 28, 0, 0, 0]),
  });
  const before = folder.names();
  const nic = (name: string) => [
    ...["--nic", `pcap:${folder.path}/${name}`],
    ...["--write", `${folder.path}/out.pcap`],
  ];
  assert.match(
    await refusal(nic("none.pcap")),
    /^capture: cannot read .*none\.pcap: there is no such file$/,
  );
  assert.match(
    await refusal(nic(".")),
    /^capture: cannot read .*: it is a folder; name a file in it$/,
  );
  assert.match(
    await refusal(nic("empty.pcap")),
    /^pcap:.*empty\.pcap: capture: at byte 0: found the end of the file after 0 bytes; expected a pcap or pcapng header/,
  );
  assert.match(
    await refusal(nic("text.pcap")),
    /^pcap:.*text\.pcap: capture: at byte 0: found the bytes .*; expected a pcap or pcapng header \(editcap/,
  );
  assert.match(
    await refusal(nic("header.pcapng")),
    /^pcap:.*header\.pcapng: .*(end|cut|28)/,
  );
  assert.deepEqual(folder.names(), before);
});

Deno.test("a capture that cannot be written is refused at the start", async () => {
  await using folder = await makeFolder();
  const write = (path: string) => refusal(["--write", path]);
  assert.match(
    await write(`${folder.path}/none/out.pcap`),
    /^capture: cannot write .*out\.pcap: there is no such folder$/,
  );
  assert.match(
    await write(folder.path),
    /^capture: cannot write .*: it is a folder; name a file in it$/,
  );
  assert.deepEqual(folder.names(), []);
});

testWith(
  ["linux"],
  "an interface that is not there is refused, on any machine",
  async () => {
    assert.match(
      await refusal(["--nic", "xdp:nosuch0"]),
      /^interface nosuch0: cannot find it: No such device \(ENODEV\); `ip link` lists/,
    );
  },
);

testWith(
  [...NETNS_NEEDS, "tool:setpriv"],
  "an interface that cannot be had is refused with what to do, and left as it was",
  async () => {
    await using pair = await makeNamespacePair();
    const { right } = pair;
    await using folder = await makeFolder();
    const nic = (name: string, options: UpOptions = {}) =>
      refusal(
        ["--nic", `xdp:${name}`, "--write", `${folder.path}/out.pcap`],
        1,
        { space: right, ...options },
      );
    const set = (...words: string[]) =>
      right.run("ip", "link", "set", INTERFACE, ...words);
    const state = async () => {
      const link = await right.link();
      delete link["stats64"];
      return link;
    };
    const before = await state();

    assert.match(
      await nic("lo"),
      /^interface lo: is not an Ethernet interface/,
    );
    await set("mtu", "9000");
    assert.match(
      await nic(INTERFACE),
      /^xdp:veth0: its MTU is 9000, .*; `ip link set veth0 mtu \d+` or less$/,
    );
    await set("mtu", "1500");
    await set("down");
    assert.match(
      await nic(INTERFACE),
      /^interface veth0: is down; `ip link set veth0 up` first$/,
    );
    await set("up");
    assert.match(
      await nic(INTERFACE, {
        prefix: ["setpriv", "--bounding-set=-all", "--inh-caps=-all"],
      }),
      /Operation not permitted \(EPERM\); run as root, or with CAP_NET_ADMIN/,
    );
    assert.deepEqual(await state(), before);
    assert.deepEqual(folder.names(), []);
    assert.deepEqual(await processesIn(right), []);
  },
);

testWith(
  NETNS_NEEDS,
  "an interface with more queues than there are sockets for, and TAPs of another kind or that others have, are refused with what to do",
  async () => {
    await using pair = await makeNamespacePair({ queues: 80 });
    const { right: space } = pair;
    const nic = (name: string) => refusal(["--nic", name], 1, { space });
    assert.match(
      await nic(`xdp:${INTERFACE}`),
      /^xdp:veth0: has 80 receive queues, 64 is the most; `ethtool -L veth0 combined 64` first$/,
    );
    for (const [name, ...more] of [["sp0", "multi_queue"], ["sp1"]] as const) {
      await space.run("ip", "tuntap", "add", name, "mode", "tap", ...more);
      await space.run("ip", "link", "set", name, "up");
    }
    const another = /cannot attach .* no (tap|tun) with one queue; use another/;
    assert.match(await nic("tap:sp0"), another);
    assert.match(await nic("tun:sp1"), another);
    await using holder = new UpProcess(["--nic", "tap:sp1"], { space });
    await holder.says(/^up on tap:sp1/);
    assert.match(
      await nic("tap:sp1"),
      /another program has it open; use another name$/,
    );
  },
);
