/** `sallyport capture -i packet:…` sees the kernel's own packets, and the kernel has them too. */

import { equal, match } from "node:assert/strict";
import { testWith } from "../../needs.ts";
import {
  INTERFACE,
  makeNamespacePair,
  NETNS_NEEDS,
  RIGHT_ADDRESS,
} from "../../netns.ts";
import { sallyportWords } from "../sallyport.ts";

testWith(
  [...NETNS_NEEDS, "tool:ping"],
  "capture on a packet socket shows what arrives for the kernel, and the kernel answers it",
  async () => {
    await using pair = await makeNamespacePair();
    const { left, right } = pair;
    const nic = `packet:${INTERFACE}`;
    const words = sallyportWords([
      "capture",
      "-t",
      "-c",
      "2",
      "-i",
      nic,
      "icmp",
    ]);
    const child = right.spawn(words, { stdout: "piped", stderr: "null" });
    const out = new Response(child.stdout).text();
    let over = false;
    const ended = child.status.then((status) => {
      over = true;
      return status;
    });
    while (!over) await left.run("ping", "-c", "1", "-W", "2", RIGHT_ADDRESS);
    equal((await ended).code, 0);
    match(
      await out,
      /^(IP 10\.77\.0\.1 > 10\.77\.0\.3: ICMP echo request, id \d+, seq 1, length 64\n){2}$/,
    );
  },
);
