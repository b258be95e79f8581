/** What children are held back by, as the kernel says it. */

import assert from "node:assert/strict";
import { wallsFor } from "../../../drivers/sys/child_walls.ts";
import { commandOf } from "../../command.ts";
import { testWith } from "../../needs.ts";
import {
  endOf,
  outputOf,
  pathOf,
  startCommand,
  statusOf,
  until,
} from "./children.ts";

const KILLED = "killed when the thread ends that started it";
const NO_NEW = "no new privileges";
const NOBODY = "user 65534, who has no capability";
const NETWORK = "an empty network, and IPC of its own";

/** The lines of /proc/PID/status that say what a process may do. */
const STATUS = [
  ...["Uid", "Gid", "Groups", "NoNewPrivs"],
  ...["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"],
];

testWith(
  ["linux", "root", "tool:setpriv", "tool:unshare", "tool:sleep", "tool:ip"],
  "root's child is another user without capabilities, in a network that has nothing",
  () => {
    const { prefix, walls, missing } = wallsFor({ uid: 0 });
    assert.deepEqual(missing, []);
    assert.deepEqual(walls, [KILLED, NO_NEW, NOBODY, NETWORK]);
    using child = startCommand([...prefix, pathOf("sleep"), "100"]);
    until(
      () => statusOf(child.pid, "Name") === "sleep" || undefined,
      "the program behind the walls",
    );
    const none = "0".repeat(16);
    const nobody = new Array(4).fill("65534").join("\t");
    assert.deepEqual(STATUS.map((name) => statusOf(child.pid, name)), [
      ...[nobody, nobody, "", "1"],
      ...new Array(5).fill(none),
    ]);
    for (const space of ["net", "ipc", "uts"]) {
      const spaceOf = (pid: number | "self") =>
        Deno.readLinkSync(`/proc/${pid}/ns/${space}`);
      assert.notEqual(spaceOf(child.pid), spaceOf("self"));
    }
    using ip = startCommand([...prefix, pathOf("ip"), "-o", "link"]);
    const links = new TextDecoder().decode(outputOf(ip));
    assert.match(links, /^1: lo: <LOOPBACK> .*\n$/);
  },
);

testWith(
  ["linux", "root", "tool:setpriv", "tool:unshare", "tool:sleep"],
  "a child of a user who is not root stays that user's, and has no capability in its namespaces",
  () => {
    const { prefix, walls, missing } = wallsFor({ uid: 1000 });
    // As Linux lets everybody unless it was forbidden.
    assert.deepEqual(walls, [KILLED, NO_NEW, NETWORK]);
    assert.deepEqual(missing, [
      `${NOBODY}: only root can start it as another user`,
    ]);
    const asUser = ["--reuid", "1000", "--regid", "1000", "--clear-groups"];
    const user = [pathOf("setpriv"), ...asUser, "--"];
    using child = startCommand([...user, ...prefix, pathOf("sleep"), "100"]);
    until(
      () => statusOf(child.pid, "Name") === "sleep" || undefined,
      "the program behind the walls",
    );
    assert.match(statusOf(child.pid, "Uid"), /^1000\t1000/);
    assert.equal(statusOf(child.pid, "NoNewPrivs"), "1");
    assert.match(statusOf(child.pid, "CapEff"), /^0+$/);
    assert.match(statusOf(child.pid, "CapPrm"), /^0+$/);
  },
);

testWith(
  ["linux", "root", "tool:setpriv", "tool:unshare", "tool:sh"],
  "a program whose code another user may not read is run as this one, and that is said",
  () => {
    const folder = Deno.makeTempDirSync();
    try {
      Deno.writeTextFileSync(`${folder}/code`, "exit 0");
      Deno.chmodSync(folder, 0o700);
      const probe = [pathOf("sh"), `${folder}/code`];
      const { prefix, walls, missing } = wallsFor({ uid: 0, probe });
      assert.deepEqual(walls, [KILLED, NO_NEW, NETWORK]);
      assert.equal(missing.length, 1);
      assert.match(missing[0]!, /^user 65534.*code: Permission denied$/);
      using child = startCommand([...prefix, ...probe]);
      assert.deepEqual(endOf(child), { code: 0 });
    } finally {
      Deno.removeSync(folder, { recursive: true });
    }
  },
);

testWith(
  ["linux", "root", "tool:setpriv", "tool:unshare"],
  "without CAP_KILL there is no other user, whom nobody could end, and without CAP_SYS_ADMIN no other network",
  async () => {
    const file = new URL(
      "../../../drivers/sys/child_walls.ts",
      import.meta.url,
    ).href;
    const code = `import { wallsFor } from "${file}";
      console.log(JSON.stringify(wallsFor({ uid: 0 })));`;
    const { stdout } = await commandOf([
      ...["setpriv", "--bounding-set=-kill,-sys_admin", "--inh-caps=-all"],
      ...["--", Deno.execPath(), "eval", "--quiet", code],
    ]).output();
    const { walls, missing } = JSON.parse(new TextDecoder().decode(stdout));
    assert.deepEqual(walls, [KILLED, NO_NEW]);
    assert.equal(missing.length, 2);
    assert.match(missing[0], /^user 65534.*CAP_KILL/);
    assert.match(missing[1], /^an empty network.*not permitted/);
  },
);

testWith(
  ["linux", "tool:false", "tool:sh", "tool:setpriv", "tool:unshare"],
  "a probe that fails without any wall is said in words",
  () => {
    const uid = Deno.uid()!;
    const walls = (...probe: string[]) => wallsFor({ uid, probe });
    assert.throws(
      () => walls("/nonesuch/deno"),
      /^SystemError: \/nonesuch\/deno: cannot start this program/,
    );
    assert.throws(
      () => walls(pathOf("false")),
      /without any wall: .*false ended with status 1/,
    );
    assert.throws(
      () => walls(pathOf("sh"), "-c", "echo '\x1b[2Jno' >&2; kill -9 $$"),
      /without any wall: .*sh was ended by signal 9/,
    );
    assert.throws(
      () => walls(pathOf("sh"), "-c", "echo '\x1b[2Jno' >&2; exit 2"),
      /without any wall: �no$/m,
    );
  },
);
