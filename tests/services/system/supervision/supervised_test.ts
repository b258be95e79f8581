/** When a service is started again, and when it is given up. */

import { deepEqual, equal } from "node:assert/strict";
import { delay } from "@std/async/delay";
import type {
  RestartPolicy,
  ServiceManifest,
} from "../../../../services/manifest/manifest.ts";
import type { ServiceHost } from "../../../../services/system/supervision/host.ts";
import { Supervised } from "../../../../services/system/supervision/supervised.ts";

/** A service with a policy, whose lives fail when the test says so. */
class Service {
  readonly supervised: Supervised;
  /** How often it was started again. */
  restarts = 0;

  constructor(restart: RestartPolicy) {
    this.supervised = new Supervised("one", { restart } as ServiceManifest);
  }

  /** Ends a life. Returns after how long another one begins; undefined for never. */
  fail(how: Partial<ServiceHost> = {}): number | undefined {
    const life = {
      failure: "it threw",
      state: "failed",
      wasCutOff: false,
      silent: false,
      counters: {},
      stop() {},
      ...how,
    } as ServiceHost;
    this.supervised.begin(life);
    return this.supervised.failed(life, () => this.restarts++);
  }

  /** Ends `times` lives. Returns of each whether another one follows. */
  failures(times: number, how?: Partial<ServiceHost>): boolean[] {
    return Array.from({ length: times }, () => {
      const delayMs = this.fail(how);
      this.supervised.stop();
      return delayMs !== undefined;
    });
  }
}

Deno.test("a service is started again as often as its policy says", () => {
  deepEqual(new Service("never").failures(1), [false]);
  deepEqual(new Service(2).failures(4), [true, true, false, false]);
  deepEqual(new Service("always").failures(100), Array(100).fill(true));
});

Deno.test("who was cut off is not started again, whatever its policy says", async () => {
  for (const policy of ["always", 60] as const) {
    const service = new Service(policy);
    equal(service.fail({ wasCutOff: true }), undefined);
    equal(service.supervised.state, "failed");
    equal(service.supervised.isAlive, false);
    await delay(150); // longer than the first delay
    equal(service.restarts, 0);
  }
});

Deno.test("who stopped answering is started again twice in all", () => {
  const service = new Service("always");
  deepEqual(service.failures(3, { silent: true }), [true, true, false]);
  // Those that failed otherwise do not count.
  const other = new Service("always");
  deepEqual(other.failures(2, { silent: true }), [true, true]);
  deepEqual(other.failures(3), [true, true, true]);
});

Deno.test("a service that is stopped while it waits is not started again", async () => {
  const service = new Service("always");
  const delayMs = service.fail();
  equal(service.supervised.state, "restarting");
  service.supervised.stop();
  await delay(delayMs! + 50);
  equal(service.restarts, 0);
});

Deno.test("what a service counted in its lives is added up", () => {
  const service = new Service("always");
  service.failures(1, { counters: { answered: 3 } });
  service.failures(1, { counters: { answered: 4, "drop:short": 1 } });
  deepEqual({ ...service.supervised.counters }, {
    answered: 7,
    "drop:short": 1,
  });
});
