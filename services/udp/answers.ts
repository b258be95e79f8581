/** Services that answer one datagram with one, as most small ones over UDP do. */

import { mayBePartial } from "../../caps/port/offload.ts";
import type { Core, Frame, Outbox, Verdict } from "../core/core.ts";
import type { Instant } from "../runtime/clock.ts";
import type { ServiceDefinition, ServiceSettings } from "../core/definition.ts";
import { Ipv4Endpoint } from "../ip/ipv4_endpoint.ts";
import { Responder } from "../core/responder.ts";
import { datagramsFrom, datagramsTo } from "./own_datagrams.ts";
import { pseudoHeaderSum } from "../wire/checksum.ts";
import {
  IPV4_BYTES,
  ipv4Destination,
  ipv4Source,
  PROTOCOL_UDP,
} from "../wire/ipv4.ts";
import { completeUdp, emitUdp, parseUdp, UDP_BYTES } from "../wire/udp.ts";

/** The largest packet on Ethernet, where nothing else is said (RFC 894). */
const MTU_DEFAULT = 1500;

/** Who sent a datagram. */
export interface Asker {
  /** IPv4 address, 32 bits. */
  readonly address: number;
  /** UDP port; never 0. */
  readonly port: number;
}

/**
 * The answer to a datagram; undefined for none. One that is too large for one
 * packet of the link is dropped, and counted as `drop:too-large`: at an MTU of
 * 1,500 an answer has at most 1,472 bytes. `payload` is only there during the call. Never answer an answer: two that do send to each other for ever.
 */
export type AnswerDatagram = (
  payload: Uint8Array,
  asker: Asker,
) => Uint8Array | undefined;

/** The service that listens on `port` of the system's address, and answers by `answer`. */
export function answerDatagrams(
  port: number,
  answer: AnswerDatagram,
): ServiceDefinition {
  return {
    receives: (settings) => datagramsTo(settings, port),
    sends: (settings) => datagramsFrom(settings, port),
    make: (settings): Core => new AnsweringCore(settings, port, answer),
  };
}

class AnsweringCore extends Responder {
  readonly #host: Ipv4Endpoint;
  readonly #port: number;
  readonly #answer: AnswerDatagram;
  readonly #mtu: number;

  constructor(settings: ServiceSettings, port: number, answer: AnswerDatagram) {
    super();
    this.#host = new Ipv4Endpoint(settings);
    this.#port = port;
    this.#answer = answer;
    this.#mtu = settings.mtu ?? MTU_DEFAULT;
  }

  receive(frame: Frame, _now: Instant, out: Outbox): Verdict {
    const host = this.#host;
    const refusal = host.admit(frame, PROTOCOL_UDP);
    if (refusal !== undefined) return refusal;
    const { bytes } = frame;
    const { headerAt, payloadAt, payloadEnd } = host;
    const address = ipv4Source(bytes, headerAt);
    const own = ipv4Destination(bytes, headerAt);
    const sum = pseudoHeaderSum(address, own, PROTOCOL_UDP);
    if (mayBePartial(frame.offload)) {
      completeUdp(bytes, payloadAt, payloadEnd, sum);
    }
    const asked = parseUdp(bytes, payloadAt, payloadEnd, sum);
    if (typeof asked === "string") return `drop:${asked}`;
    if (asked.destinationPort !== this.#port) return "drop:not-mine";
    const port = asked.sourcePort;
    if (port === 0) return "drop:no-source-port";
    const payload = this.#answer(asked.payload, { address, port });
    if (payload === undefined) return "drop:no-answer";
    return this.#send(frame, payload, { port, sum }, out);
  }

  /** Sends `payload` to who sent `frame`, in a frame of its own: it may be longer. */
  #send(
    frame: Frame,
    payload: Uint8Array,
    { port, sum }: { readonly port: number; readonly sum: number },
    out: Outbox,
  ): Verdict {
    const host = this.#host;
    const sizeBytes = IPV4_BYTES + UDP_BYTES + payload.length;
    if (sizeBytes > this.#mtu) return "drop:too-large";
    const headersBytes = host.headerAt + IPV4_BYTES - frame.start;
    const reply = out.open(headersBytes + UDP_BYTES + payload.length);
    if (reply === undefined) return "drop:no-room";
    // The headers, less IP options; then everything that differs is written.
    const headers = frame.bytes.subarray(
      frame.start,
      host.headerAt + IPV4_BYTES,
    );
    reply.bytes.set(headers, reply.start);
    host.headerAt = reply.start + headersBytes - IPV4_BYTES;
    host.payloadAt = reply.start + headersBytes;
    const datagram = {
      sourcePort: this.#port,
      destinationPort: port,
      checksummed: true,
      payload,
    };
    const size = emitUdp(datagram, reply.bytes, host.payloadAt, sum);
    host.turn(reply, size);
    out.send();
    this.tally.add("answered");
    return "handled";
  }
}
