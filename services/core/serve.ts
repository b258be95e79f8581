/** The first lines of a service's own domain: a worker, or a process. */

import { onFirstMessage } from "../../caps/port/first_message.ts";
import { standardStreams } from "../runtime/process/standard_streams.ts";
import type { ServiceDefinition } from "./definition.ts";
import type { ServiceStart } from "./messages.ts";
import { serveProcess } from "./process.ts";
import { type BeginService, failureOf, startService } from "./start.ts";
import { onUnhandled } from "./unhandled.ts";

/** Runs a service in this worker or process, when the first message has come. */
export function serveService(definition: ServiceDefinition): void {
  serveStart((start, turns) => startService(definition, start, turns));
}

/** Has `begin` run a service in this worker or process, when the first message has come. */
export function serveStart(begin: BeginService): void {
  if (standardStreams === undefined) return serveWorker(begin);
  void serveProcess(standardStreams, begin);
}

function serveWorker(begin: BeginService): void {
  onFirstMessage((start: ServiceStart) => {
    const { control } = start;
    const fail = (error: unknown) => control.postMessage(failureOf(error));
    onUnhandled(fail);
    begin(start, { ownThread: true, fail }).catch(fail);
  });
}
