/**
 * The receiving side of one TCP connection over IPv4, as a holder would write it
 * that knows frames of at most an MTU: it takes what comes in order, acknowledges
 * it, and leaves the rest to the sender. Nothing is said of segmentation.
 */

import { fold } from "../../../drivers/segment/checksum.ts";
import {
  PROTOCOL_TCP,
  type Transport,
} from "../../../drivers/segment/transport.ts";

const FIN = 1, SYN = 2, ACK = 0x10;
const HEADERS_BYTES = 14 + 20 + 20;
/** The option that says the longest segment (RFC 9293 section 3.7.1). */
const MSS_OPTION_BYTES = 4;
const WINDOW = 0xffff;

/** One connection, once somebody opens it. */
export class TcpReceiver {
  readonly #mss: number;
  readonly #onData: (bytes: Uint8Array) => void;
  /** The sequence number that is next; undefined before the connection. */
  #next: number | undefined;
  /** Whether the sender has said that nothing follows. */
  ended = false;
  /** Segments that came in order, with data. */
  segments = 0;

  /** Of segments with up to `mss` bytes. */
  constructor(mss: number, onData: (bytes: Uint8Array) => void) {
    this.#mss = mss;
    this.#onData = onData;
  }

  /** Takes a segment; `packet` says where its headers are. Returns the frame that answers it. */
  take(frame: Uint8Array, packet: Transport): Uint8Array | undefined {
    if (packet.protocol !== PROTOCOL_TCP || packet.version !== 4) return;
    const view = new DataView(frame.buffer, frame.byteOffset);
    const { transport, payload, end } = packet;
    const sequence = view.getUint32(transport + 4);
    const flags = frame[transport + 13]!;
    const starts = (flags & SYN) !== 0;
    const length = end - payload;
    if (starts) this.#next = sequence + 1 >>> 0;
    else if (this.#next === undefined) return;
    else if (sequence === this.#next) {
      if (length > 0) this.segments++;
      this.#onData(frame.subarray(payload, end));
      this.ended ||= (flags & FIN) !== 0;
      this.#next = sequence + length + (flags & FIN) >>> 0;
    }
    const isMore = starts || length > 0 || (flags & FIN) !== 0;
    return isMore ? this.#answer(frame, packet, starts) : undefined;
  }

  #answer(frame: Uint8Array, packet: Transport, starts: boolean): Uint8Array {
    const { network, transport } = packet;
    const optionBytes = starts ? MSS_OPTION_BYTES : 0;
    const answer = new Uint8Array(HEADERS_BYTES + optionBytes);
    const view = new DataView(answer.buffer);
    answer.set(frame.subarray(6, 12), 0);
    answer.set(frame.subarray(0, 6), 6);
    view.setUint16(12, 0x0800);
    view.setUint8(14, 0x45);
    view.setUint16(16, answer.length - 14);
    view.setUint8(22, 64);
    view.setUint8(23, PROTOCOL_TCP);
    answer.set(frame.subarray(network + 16, network + 20), 26);
    answer.set(frame.subarray(network + 12, network + 16), 30);
    view.setUint16(24, ~sum(view, 14, 34, 0));
    answer.set(frame.subarray(transport + 2, transport + 4), 34);
    answer.set(frame.subarray(transport, transport + 2), 36);
    view.setUint32(38, starts ? 0 : 1);
    view.setUint32(42, this.#next!);
    view.setUint16(46, (20 + optionBytes) << 10 | ACK | (starts ? SYN : 0));
    view.setUint16(48, WINDOW);
    if (starts) view.setUint32(54, 2 << 24 | 4 << 16 | this.#mss);
    const pseudoHeader = sum(view, 26, 34, PROTOCOL_TCP + answer.length - 34);
    view.setUint16(50, ~sum(view, 34, answer.length, pseudoHeader));
    return answer;
  }
}

/** The sum of 16-bit words (RFC 1071), with `more`. */
function sum(view: DataView, from: number, to: number, more: number): number {
  let total = more;
  for (let at = from; at < to; at += 2) total += view.getUint16(at);
  return fold(total);
}
