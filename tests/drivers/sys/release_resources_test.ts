/** What a worker that was terminated has left is closed and ended. */

import assert from "node:assert/strict";
import { wallsFor } from "../../../drivers/sys/child_walls.ts";
import { releaseLeftResources } from "../../../drivers/sys/release_resources.ts";
import {
  makeResourceList,
  takeResources,
} from "../../../drivers/sys/resource_list.ts";
import { testWith } from "../../needs.ts";
import {
  hasEnded,
  isListed,
  namesIn,
  pathOf,
  statusOf,
  until,
} from "./children.ts";

const sys = new URL("../../../drivers/sys/", import.meta.url).href;

/** Starts a command three times, ends one child, and keeps the others until it is terminated. */
const code = `
  import { ChildProcess } from "${sys}child_process.ts";
  import { listResourcesIn } from "${sys}resource_list.ts";
  globalThis.onmessage = ({ data: { resources, command } }) => {
    listResourcesIn(resources);
    globalThis.children = [1, 2, 3].map(() => new ChildProcess({ command }));
    children[0][Symbol.dispose]();
    postMessage(children.map(({ pid }) => pid));
  };`;

/** A worker with children: their numbers, and what ends it. */
async function parentWorker(
  resources: SharedArrayBuffer,
  command: readonly string[],
): Promise<{ readonly pids: readonly number[]; terminate(): void }> {
  const url = `data:text/javascript,${encodeURIComponent(code)}`;
  const worker = new Worker(url, { type: "module" });
  const pids = await new Promise<number[]>((resolve) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.postMessage({ resources, command });
  });
  assert.deepEqual(pids.map(isListed), [false, true, true]);
  return { pids, terminate: () => worker.terminate() };
}

/** Ends of pipes that this process has. */
function pipes(): string[] {
  return namesIn("/proc/self/fd").flatMap((name) => {
    try {
      const target = Deno.readLinkSync(`/proc/self/fd/${name}`);
      return target.startsWith("pipe:") ? [`${name} ${target}`] : [];
    } catch {
      return [];
    }
  });
}

testWith(
  ["linux", "tool:sleep"],
  "children of a worker that was terminated are ended, and their pipes closed",
  async () => {
    const before = pipes();
    const resources = makeResourceList();
    const command = [pathOf("sleep"), "100"];
    const { pids, terminate } = await parentWorker(resources, command);
    terminate();
    releaseLeftResources(resources);
    assert.deepEqual(pids.filter(isListed), []);
    assert.deepEqual(pipes(), before);
    assert.deepEqual(takeResources(resources), []);
  },
);

testWith(
  ["linux", "tool:sh", "tool:setpriv", "tool:unshare"],
  "children behind walls are killed when a worker is terminated, before anybody releases what it left",
  async () => {
    const { prefix } = wallsFor({ uid: Deno.uid()! });
    const resources = makeResourceList();
    const spin = [pathOf("sh"), "-c", "while :; do :; done"];
    const { pids, terminate } = await parentWorker(resources, [
      ...prefix,
      ...spin,
    ]);
    const [, ...running] = pids;
    for (const pid of running) {
      until(() => statusOf(pid, "Name") === "sh" || undefined, "the program");
      assert.equal(hasEnded(pid), false);
    }
    terminate();
    for (const pid of running) {
      until(() => hasEnded(pid) || undefined, "a child's end");
    }
    assert.deepEqual(running.filter(isListed), running);
    releaseLeftResources(resources);
    assert.deepEqual(running.filter(isListed), []);
  },
);
