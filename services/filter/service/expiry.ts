/** The alarm for whatever expires next. */

import type { Alarm, Alarms } from "../../runtime/alarms.ts";
import type { Instant } from "../../runtime/clock.ts";

/** What expires, and when. */
export interface ExpiryOptions {
  readonly alarms: Alarms;
  /** When something expires next; Infinity for never. */
  readonly nextUs: () => Instant;
  /** Called when that time has come. */
  readonly onDue: () => void;
}

/** Keeps one alarm, set for what expires next. */
export class Expiry {
  readonly #options: ExpiryOptions;
  #alarm: Alarm | undefined;

  /** Sets no alarm before {@link update}. */
  constructor(options: ExpiryOptions) {
    this.#options = options;
  }

  /** Moves the alarm to what expires next now. */
  update(): void {
    const { alarms, nextUs, onDue } = this.#options;
    const atUs = nextUs();
    if ((this.#alarm?.expiresAtUs ?? Infinity) === atUs) return;
    if (this.#alarm !== undefined) alarms.cancel(this.#alarm);
    this.#alarm = atUs === Infinity ? undefined : alarms.set(atUs, () => {
      this.#alarm = undefined;
      onDue();
      this.update();
    });
  }
}
