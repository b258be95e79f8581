/** An address given as ours that is the kernel's own is told, with what to do. */

import { doesNotMatch, equal, match } from "node:assert/strict";
import { testWith } from "../needs.ts";
import {
  INTERFACE,
  makeNamespacePair,
  NETNS_NEEDS,
  RIGHT_ADDRESS,
} from "../netns.ts";
import { UpProcess } from "./up_process.ts";

const OTHER = "10.77.0.9";

/** What is said of an address. */
const said = (nic: string, address: string, name: string) =>
  new RegExp(
    `${nic}: ${address} is an address of this machine's kernel too, on ${name}, and two answer for it; choose another one with --address, `,
  );

for (const kind of ["xdp", "packet"]) {
  const nic = `${kind}:${INTERFACE}`;
  testWith(
    NETNS_NEEDS,
    `${kind}: an address that the kernel has on the interface is told once, and no other is`,
    async () => {
      await using pair = await makeNamespacePair();
      const { right } = pair;
      const start = (address: string) =>
        new UpProcess(["--nic", nic, "--address", `${address}/24`], {
          space: right,
        });
      await using taken = start(RIGHT_ADDRESS);
      await taken.says(said(nic, RIGHT_ADDRESS, INTERFACE), "err");
      const { code, err } = await taken.interrupt();
      equal(code, 0);
      equal(err.split("kernel too").length, 2);

      await using free = start(OTHER);
      await free.says(/udp-echo/);
      const before = await free.interrupt();
      doesNotMatch(before.err, /kernel too/);

      // One more address, of which an ioctl for the first would say nothing.
      await right.run("ip", "address", "add", `${OTHER}/24`, "dev", INTERFACE);
      await using second = start(OTHER);
      await second.says(said(nic, OTHER, INTERFACE), "err");
      match((await second.interrupt()).err, /ip address del/);
    },
  );
}
