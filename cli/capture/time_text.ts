/** A packet's time, as `sallyport capture` prints it. */

/** Local time of day, with the date, seconds since 1970, or since the packet before or the first; or none. */
export type TimeStyle =
  | "day"
  | "date"
  | "seconds"
  | "since-previous"
  | "since-first"
  | "none";

/** When a packet was captured. */
export interface PacketTime {
  /** Whole seconds since 1970, also negative. */
  readonly seconds: number;
  /** The rest: from 0, less than 1e9. */
  readonly nanoseconds: number;
}

/** The last second that `Date` has, and but for the sign the first: 100 million days from 1970. */
const DATE_SECONDS_MAX = 8.64e12;

/** Makes texts of times, one packet's after the other's. */
export class TimeText {
  readonly #style: TimeStyle;
  readonly #nanoseconds: boolean;
  /** The second that {@link #secondText} is the text of. */
  #second: number | undefined;
  #secondText = "";
  /** What differences are counted from. */
  #base: PacketTime | undefined;

  /** With nine digits behind the second for `nanoseconds`, six otherwise. */
  constructor(style: TimeStyle, nanoseconds: boolean) {
    this.#style = style;
    this.#nanoseconds = nanoseconds;
  }

  /** The time with a space behind it; empty for no time. */
  of(time: PacketTime): string {
    switch (this.#style) {
      case "none":
        return "";
      case "seconds":
        return `${signed(time, String, this.#nanoseconds)} `;
      case "since-previous":
      case "since-first":
        return this.#difference(time);
      default:
        return Math.abs(time.seconds) > DATE_SECONDS_MAX
          ? `${signed(time, String, this.#nanoseconds)} `
          : `${this.#localTime(time.seconds)}.${this.#fraction(time)} `;
    }
  }

  #localTime(seconds: number): string {
    if (seconds !== this.#second) {
      this.#second = seconds;
      this.#secondText = localTime(seconds, this.#style === "date");
    }
    return this.#secondText;
  }

  #difference({ seconds, nanoseconds: exact }: PacketTime): string {
    const nanoseconds = this.#nanoseconds ? exact : exact - exact % 1000;
    const base = this.#base ?? { seconds, nanoseconds };
    if (this.#style === "since-previous") this.#base = { seconds, nanoseconds };
    else this.#base = base;
    const borrow = nanoseconds < base.nanoseconds ? 1 : 0;
    const text = signed(
      {
        seconds: seconds - base.seconds - borrow,
        nanoseconds: nanoseconds - base.nanoseconds + borrow * 1e9,
      },
      clock,
      this.#nanoseconds,
    );
    return text.startsWith("-") ? `${text} ` : ` ${text} `;
  }

  #fraction({ nanoseconds }: PacketTime): string {
    return fraction(nanoseconds, this.#nanoseconds);
  }
}

/** A time that may be before 1970, or a difference: -1 s and 0.9 s more are -0.1 s. */
function signed(
  { seconds, nanoseconds }: PacketTime,
  show: (seconds: number) => string,
  allDigits: boolean,
): string {
  if (seconds >= 0) {
    return `${show(seconds)}.${fraction(nanoseconds, allDigits)}`;
  }
  const borrow = nanoseconds > 0 ? 1 : 0;
  const rest = borrow * 1e9 - nanoseconds;
  return `-${show(-seconds - borrow)}.${fraction(rest, allDigits)}`;
}

function fraction(nanoseconds: number, allDigits: boolean): string {
  return allDigits
    ? String(nanoseconds).padStart(9, "0")
    : String(Math.floor(nanoseconds / 1000)).padStart(6, "0");
}

function localTime(seconds: number, withDate: boolean): string {
  const at = new Date(seconds * 1000);
  const day = [at.getHours(), at.getMinutes(), at.getSeconds()].map(two)
    .join(":");
  if (!withDate) return day;
  const date = [at.getFullYear(), two(at.getMonth() + 1), two(at.getDate())];
  return `${date.join("-")} ${day}`;
}

/** `27:46:40`: hours do not end at a day. */
function clock(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  return [Math.floor(minutes / 60), minutes % 60, seconds % 60].map(two)
    .join(":");
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}
