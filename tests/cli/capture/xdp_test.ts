/** `sallyport capture -i xdp:…` beside a kernel that goes on as if it were not there. */

import { equal, match } from "node:assert/strict";
import { testWith } from "../../needs.ts";
import {
  INTERFACE,
  makeNamespacePair,
  NETNS_NEEDS,
  RIGHT_ADDRESS,
} from "../../netns.ts";
import { sallyportWords } from "../sallyport.ts";

/** Sallyport's address, and the Ethernet address that is made of it. */
const OUR_ADDRESS = "10.77.0.2";
const OUR_MAC = "02:53:0a:4d:00:02";

testWith(
  [...NETNS_NEEDS, "tool:ping"],
  "capture on an interface shows what is for Sallyport's address, and the kernel keeps the rest",
  async () => {
    await using pair = await makeNamespacePair();
    const { left, right } = pair;
    const neighbour = ["ip", "neigh", "replace", OUR_ADDRESS, "dev", INTERFACE];
    await left.run(...neighbour, "lladdr", OUR_MAC);
    const words = sallyportWords(
      ["capture", "-t", "-c", "2", "-i", `xdp:${INTERFACE}`, "icmp"],
    );
    const child = right.spawn(words, { stdout: "piped", stderr: "piped" });
    const errors = child.stderr.pipeThrough(new TextDecoderStream());
    let said = "";
    for await (const text of errors.values({ preventCancel: true })) {
      said += text;
      if (said.includes("capturing on")) break;
    }
    const out = new Response(child.stdout).text();
    let over = false;
    const ended = child.status.then((status) => {
      over = true;
      return status;
    });
    // The kernel answers for its own address; nobody answers for ours.
    while (!over) {
      await left.run("ping", "-c", "1", "-W", "2", RIGHT_ADDRESS);
      await left.try("ping", "-c", "1", "-W", "0.1", OUR_ADDRESS);
    }
    equal((await ended).code, 0);
    match(
      await out,
      /^(IP 10\.77\.0\.1 > 10\.77\.0\.2: ICMP echo request, id \d+, seq 1, length 64\n){2}$/,
    );
    for await (const text of errors) said += text;
    match(
      said,
      /the kernel keeps the others\n2 packets matched of 2\n$/,
    );
  },
);
