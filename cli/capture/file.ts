/** `sallyport capture -r`: runs over a capture in a file or on standard input. */

import { openCapture } from "../../drivers/capture/format.ts";
import type { CaptureReader } from "../../drivers/capture/packet.ts";
import type { CaptureInput } from "./input.ts";
import type { CaptureIntake } from "./intake.ts";
import type { Stop } from "../command/stop.ts";

/** Packets between two looks at the clock. */
const RUN_PACKETS = 1024;
/** How long signals and timers wait for their turn. */
const BUSY_MS = 50;

/**
 * Takes the packets of `input` in, until there are enough, or it is to stop. It
 * keeps one packet at a time, however large the capture is. Returns what was
 * wrong with it, in words.
 *
 * @throws {CaptureError} when it is not a capture, or lies about its lengths.
 */
export async function captureInput(
  input: CaptureInput,
  intake: CaptureIntake,
  stop: Stop,
): Promise<readonly string[]> {
  const { ready } = input;
  await stop.orWhen(ready?.());
  if (stop.stopped) return [];
  const reader = openCapture(input.chunks);
  const { linkType, finerThanMicroseconds } = reader;
  if (linkType !== undefined) {
    await stop.orWhen(intake.begin({ linkType, finerThanMicroseconds }));
    if (stop.stopped) return [];
  }
  await takeAll(reader, intake, { ready, stop });
  return [reader.oddities.describe(), reader.warning].filter((each) =>
    each !== undefined
  );
}

async function takeAll(
  reader: CaptureReader,
  intake: CaptureIntake,
  { ready, stop }: {
    readonly ready: CaptureInput["ready"];
    readonly stop: Stop;
  },
): Promise<void> {
  let yieldAt = performance.now() + BUSY_MS;
  for (;;) {
    if (ready !== undefined && reader.buffered <= 0) {
      if (!intake.flush()) return;
      await stop.orWhen(ready());
    } else if (performance.now() > yieldAt) {
      await new Promise((resolve) => setTimeout(resolve));
      yieldAt = performance.now() + BUSY_MS;
    }
    if (stop.stopped) return;
    if (!takeRun(reader, intake, ready !== undefined)) return;
  }
}

/** Takes some packets in, no more than are here where reading waits. Returns whether to go on. */
function takeRun(
  reader: CaptureReader,
  intake: CaptureIntake,
  waits: boolean,
): boolean {
  for (let i = 0; i < RUN_PACKETS; i++) {
    const packet = reader.next();
    if (packet === undefined || !intake.take(packet)) return false;
    if (waits && reader.buffered <= 0) return true;
  }
  return true;
}
