/** The confined worker of `deliver`: a core that counts, on the port that it is sent. */

import "../../services/runtime/confine.ts";
import { fromMessagePort } from "../../caps/port/port.ts";
import type { TrustedAccess } from "../../caps/port/trusted_ring.ts";
import { makeRealClock } from "../../services/runtime/clock.ts";
import { CoreRunner } from "../../services/core/runner.ts";
import { SinkCore } from "./sink_core.ts";

const scope = globalThis as unknown as {
  onmessage: ((event: MessageEvent) => void) | null;
};

scope.onmessage = (event) => {
  scope.onmessage = null;
  const { data, control, trusted } = event.data as {
    data: MessagePort;
    control: MessagePort;
    trusted: TrustedAccess | undefined;
  };
  const runner = new CoreRunner(new SinkCore(), {
    port: fromMessagePort(data),
    clock: makeRealClock(),
    capability: 0n,
    trusted,
    onFailure: (error) => control.postMessage({ failed: String(error) }),
  });
  control.onmessage = () => control.postMessage(runner.counters());
  control.postMessage("ready");
};
