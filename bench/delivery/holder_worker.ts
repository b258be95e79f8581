/** The confined worker of `deliver`: a core that counts, on the port that it is sent. */

import "../../services/runtime/confine.ts";
import { onFirstMessage } from "../../caps/port/first_message.ts";
import { fromMessagePort } from "../../caps/port/port.ts";
import type { TrustedAccess } from "../../caps/port/trusted_ring.ts";
import { makeRealClock } from "../../services/runtime/clock.ts";
import { CoreRunner } from "../../services/core/runner.ts";
import { SinkCore } from "./sink_core.ts";

interface HolderStart {
  readonly data: MessagePort;
  readonly control: MessagePort;
  readonly trusted: TrustedAccess | undefined;
}

onFirstMessage(({ data, control, trusted }: HolderStart) => {
  const runner = new CoreRunner(new SinkCore(), {
    port: fromMessagePort(data),
    clock: makeRealClock(),
    capability: 0n,
    trusted,
    onFailure: (error) => control.postMessage({ failed: String(error) }),
  });
  control.onmessage = () => control.postMessage(runner.counters());
  control.postMessage("ready");
});
