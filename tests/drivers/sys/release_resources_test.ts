/** What a worker that was terminated has left is closed and ended. */

import assert from "node:assert/strict";
import { releaseLeftResources } from "../../../drivers/sys/release_resources.ts";
import {
  makeResourceList,
  takeResources,
} from "../../../drivers/sys/resource_list.ts";
import { testWith } from "../../needs.ts";
import { isListed, namesIn } from "./children.ts";

const sys = new URL("../../../drivers/sys/", import.meta.url).href;

/** Starts three children, ends one, and keeps the others until it is terminated. */
const code = `
  import { ChildProcess } from "${sys}child_process.ts";
  import { findProgram } from "${sys}programs.ts";
  import { listResourcesIn } from "${sys}resource_list.ts";
  globalThis.onmessage = ({ data }) => {
    listResourcesIn(data);
    const command = [findProgram("sleep"), "100"];
    globalThis.children = [1, 2, 3].map(() => new ChildProcess({ command }));
    children[0][Symbol.dispose]();
    postMessage(children.map(({ pid }) => pid));
  };`;

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
    const url = `data:text/javascript,${encodeURIComponent(code)}`;
    const worker = new Worker(url, { type: "module" });
    const pids = await new Promise<number[]>((resolve) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.postMessage(resources);
    });
    assert.deepEqual(pids.map(isListed), [false, true, true]);
    worker.terminate();
    releaseLeftResources(resources);
    assert.deepEqual(pids.filter(isListed), []);
    assert.deepEqual(pipes(), before);
    assert.deepEqual(takeResources(resources), []);
  },
);
