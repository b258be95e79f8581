/** Where the values of a message are written, and where they are read from again, by who believes nothing of them. */

/** Writes the fields of one body, one after the other. */
export class BodyWriter {
  /** The message that the body is part of. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Where the next field goes. */
  at: number;

  /** Writes from `at` on; whoever makes it sees that there is room. */
  constructor(bytes: Uint8Array<ArrayBuffer>, at: number) {
    this.bytes = bytes;
    this.at = at;
  }
}

/** Reads the fields of one body, one after the other. */
export class BodyReader {
  /** The message that the body is part of. */
  bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  /** Where the next field is. */
  at = 0;
  /** Where the body ends. */
  end = 0;
  /** Whether a field was none: what is read from then on is worth nothing. */
  malformed = false;

  /** Begins at `start`, up to `end`. */
  begin(bytes: Uint8Array<ArrayBuffer>, start: number, end: number): void {
    this.bytes = bytes;
    this.at = start;
    this.end = end;
    this.malformed = false;
  }

  /**
   * Takes `sizeBytes` of the body. Returns where they are; where there are not so
   * many, the body is malformed, and 0 is returned.
   */
  take(sizeBytes: number): number {
    const { at } = this;
    if (this.end - at < sizeBytes) {
      this.malformed = true;
      return 0;
    }
    this.at = at + sizeBytes;
    return at;
  }

  /** Whether all was read, and everything was a field. */
  get whole(): boolean {
    return !this.malformed && this.at === this.end;
  }
}
