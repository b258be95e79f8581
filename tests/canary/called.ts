/** Faults in what calls services in the driver's thread. */

import { type Fault, fault } from "./fault.ts";

const BORDERS = "drivers/service/direct_borders_test.ts";
const DELIVERY = "drivers/service/direct_delivery_test.ts";

const DELIVERER = { file: "drivers/service/direct_deliverer.ts" };
const OUTBOX = { file: "drivers/service/direct_outbox.ts" };
const RUNNER = { file: "services/core/direct_runner.ts" };
const PLACE = {
  file: "services/manifest/place.ts",
  test: "services/manifest/services_test.ts",
};

/** All of them. */
export const CALLED_FAULTS: readonly Fault[] = [
  fault(
    "a core is called with more pages than its quota",
    { ...DELIVERER, test: DELIVERY, filter: "more than its quota" },
    "handler === undefined || !account.pages.mayHold(pages)",
    "handler === undefined",
  ),
  fault(
    "the pages that a core is called with stay charged",
    { ...DELIVERER, test: DELIVERY, filter: "while no core is there" },
    "    table.release(account, pages);\n",
    "",
  ),
  fault(
    "a called core's packet may begin before its frame",
    { ...DELIVERER, test: BORDERS },
    "within >= 0 && within < PAGE_BYTES",
    "within < PAGE_BYTES",
  ),
  fault(
    "a called core's packet may begin behind its extent's first page",
    { ...DELIVERER, test: BORDERS, filter: "lies in extents" },
    "within >= 0 && within < PAGE_BYTES",
    "within >= 0",
  ),
  fault(
    "what a called core leaves in the frame object is shown again",
    { ...DELIVERER, test: DELIVERY, filter: "points its frame elsewhere" },
    "    shown.bytes = memory.bytes;\n",
    "",
  ),
  fault(
    "a called core does not hear of a batch's end",
    { ...DELIVERER, test: DELIVERY },
    "      begun[i]!.handler?.endOfBatch();\n",
    "",
  ),
  fault(
    "a called core that was refused is not told of room",
    { ...DELIVERER, test: DELIVERY },
    "    if (this.waits) this.#tellRoom();\n",
    "",
  ),
  fault(
    "a called core's limit is that of the last turn",
    { ...DELIVERER, test: DELIVERY, filter: "rate limit of that time" },
    "    this.#parts.tick();\n",
    "",
  ),
  fault(
    "what was opened by a called core and not sent is lost",
    { ...OUTBOX, test: DELIVERY, filter: "there for others again" },
    "    this.#parts.ledger.putIdle(this.#opened);\n",
    "",
  ),
  fault(
    "a called core opens more pages than its quota",
    { ...OUTBOX, test: DELIVERY, filter: "more than its quota" },
    "    if (!sender.pages.mayHold(pages)) return NO_FRAME;\n",
    "",
  ),
  fault(
    "a called core opens what was somebody else's",
    { ...OUTBOX, test: DELIVERY, filter: "of zeros" },
    "    memory.bytes.fill(0, start, start + sizeBytes);\n",
    "",
  ),
  fault(
    "a called core that throws takes the driver with it",
    { ...RUNNER, test: BORDERS },
    "          core.fail(error);\n          return false;",
    "          throw error;",
  ),
  fault(
    "a called core that has failed still gets packets",
    { ...RUNNER, test: DELIVERY, filter: "while no core is there" },
    "        end.serve(undefined);\n        end.flush();",
    "        end.flush();",
  ),
  fault(
    "a module is called without being trusted",
    { ...PLACE, filter: "only where it is trusted" },
    'if (core !== "module" || trusted) return undefined;',
    "return undefined;",
  ),
  fault(
    "a service that is moved stays where it is",
    {
      file: "services/system/running.ts",
      test: "system/called_test.ts",
      filter: "moves into the driver's thread",
    },
    '    if (service.state === "running") await this.#services.renew(service);\n',
    "",
  ),
  fault(
    "in the driver's thread a core differs from one in a worker",
    { ...RUNNER, test: "simulation/places_test.ts" },
    'verdictOn(frame satisfies Frame, now) === "reply"',
    'verdictOn(frame satisfies Frame, now) !== "handled"',
  ),
];
