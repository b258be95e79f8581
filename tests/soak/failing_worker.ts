/**
 * The UDP echo service; the one on the failing port throws once it has run for
 * the milliseconds that the query of this module's address says.
 */

import type { Core } from "../../services/core/core.ts";
import type { ServiceDefinition } from "../../services/core/definition.ts";
import { serveService } from "../../services/core/serve.ts";
import {
  udpEchoService,
  type UdpEchoSettings,
} from "../../services/udp-echo/service.ts";
import { FAILING_PORT } from "./crowd.ts";

const lifeMs = Number(new URL(import.meta.url).search.slice(1));

const definition: ServiceDefinition<UdpEchoSettings> = {
  ...udpEchoService,
  make(settings, ports): Core {
    const core = udpEchoService.make(settings, ports);
    if (settings.port !== FAILING_PORT) return core;
    const untilMs = performance.now() + lifeMs;
    return {
      wakeAt: core.wakeAt,
      wake: (now, out) => core.wake(now, out),
      counters: () => core.counters(),
      receive(frame, now, out) {
        if (performance.now() > untilMs) throw new Error("that was enough");
        return core.receive(frame, now, out);
      },
    };
  },
};

serveService(definition);
