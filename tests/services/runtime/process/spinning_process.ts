/** Starts a process that spins, prints its number, and waits to be killed. */

import { denoPath } from "../../../../services/runtime/process/permitted_deno.ts";
import { startProcess } from "../../../../services/runtime/process/start_process.ts";

const [control, requests, data] = [1, 2, 3].map(() => new MessageChannel());
const code = "console.error(Deno.pid); for (;;) ;";

startProcess({
  command: {
    name: "spins",
    bundle: [],
    command: [],
    unbundled: [denoPath(), "eval", "--no-config", code],
    environment: ["NO_COLOR=1"],
    dataBytesMax: 1_200_000_000,
  },
  start: {},
  control: control!.port2,
  requests: requests!.port2,
  data: data!.port2,
}, {
  onCrash: (message) => console.error(message),
  onPrinted: (line) => console.log(line.slice("spins: ".length)),
});
