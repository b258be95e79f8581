/** One contestant of `deliver` in an isolate of its own: see apart.ts. */

import { onFirstMessage } from "../../caps/port/first_message.ts";
import type { Contest, Turn } from "./apart.ts";
import type { DeliveryContestant } from "./contestant.ts";

onFirstMessage(async ({ what, way, control }: Contest) => {
  const contestant = await start(what, way);
  control.onmessage = async ({ data }) => {
    const { packets } = data as Turn;
    if (packets > 0) return control.postMessage(await contestant.run(packets));
    await contestant.end();
    control.postMessage(0);
    control.close();
  };
  control.postMessage(0);
});

/** Loads no more than it runs: the whole of ours takes half a second. */
async function start(
  what: Contest["what"],
  way: Contest["way"],
): Promise<DeliveryContestant> {
  if (way === "ours") return await (await import("./ours.ts")).ours(what);
  return await (await import("./plain.ts")).plain(what, way);
}
