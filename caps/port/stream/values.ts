/**
 * Plain values as text: JSON, and what JSON has not. Whatever the text is, what
 * comes out of it is plain data.
 *
 * ```
 *   12n                        {"$big":"12"}
 *   new Uint8Array([1, 255])   {"$bytes":"01ff"}
 *   a port                     {"$port":17}, the number of its channel
 * ```
 */

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Makes a channel of a port that a value has, and a port of a channel. */
export interface PortCodec {
  /** The number of a new channel for `port`; undefined for what is no port. */
  channelOf(port: object): number | undefined;
  /** The port of a channel; undefined where the other side may name none. */
  portOf(channel: number): unknown;
}

/** `value` as text in UTF-8. */
export function encodeValue(value: unknown, ports: PortCodec): Uint8Array {
  const text = JSON.stringify(value, (_name, one: unknown) => {
    if (typeof one === "bigint") return { $big: String(one) };
    if (typeof one !== "object" || one === null) return one;
    if (one instanceof Uint8Array) return { $bytes: one.toHex() };
    const channel = ports.channelOf(one);
    return channel === undefined ? one : { $port: channel };
  });
  return encoder.encode(text);
}

/** The value of a text; undefined where it is none. Never throws. */
export function decodeValue(bytes: Uint8Array, ports: PortCodec): unknown {
  try {
    return JSON.parse(decoder.decode(bytes), (_name, one: unknown) => {
      if (typeof one !== "object" || one === null) return one;
      if ("$big" in one) return BigInt(String(one.$big));
      if ("$bytes" in one) return Uint8Array.fromHex(String(one.$bytes));
      if (!("$port" in one)) return one;
      const port = ports.portOf(Number(one.$port));
      if (port === undefined) throw new TypeError("no such channel");
      return port;
    });
  } catch {
    return undefined;
  }
}
