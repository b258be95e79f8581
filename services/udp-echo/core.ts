/** Sends UDP datagrams to one port back as they came (RFC 862). */

import { mayBePartial } from "../../caps/port/offload.ts";
import type { Core, DropReason, Frame, Verdict } from "../core/core.ts";
import { Ipv4Endpoint, type Ipv4Options } from "../ip/ipv4_endpoint.ts";
import { Responder } from "../core/responder.ts";
import { pseudoHeaderSum } from "../wire/checksum.ts";
import { ipv4Destination, ipv4Source, PROTOCOL_UDP } from "../wire/ipv4.ts";
import {
  checkUdp,
  completeUdp,
  setUdpPorts,
  udpDestinationPort,
  udpLength,
  udpSourcePort,
} from "../wire/udp.ts";

/** The echo port (RFC 862). */
export const UDP_ECHO_PORT = 7;

/**
 * Ports whose services answer anything: discard, daytime, quote of the day,
 * character generator, time, and echo itself. An answer to one could go round
 * for ever.
 */
const ANSWERING_PORTS: readonly number[] = [7, 9, 13, 17, 19, 37];

/** Who echoes, and where. */
export interface UdpEchoOptions extends Ipv4Options {
  /** {@link UDP_ECHO_PORT} by default. */
  readonly port?: number;
}

/** A core that echoes datagrams to the addresses of `options` and its port in place. */
export function makeUdpEcho(options: UdpEchoOptions): Core {
  return new UdpEchoCore(options);
}

class UdpEchoCore extends Responder {
  readonly #endpoint: Ipv4Endpoint;
  readonly #port: number;

  constructor(options: UdpEchoOptions) {
    super();
    this.#endpoint = new Ipv4Endpoint(options);
    this.#port = options.port ?? UDP_ECHO_PORT;
  }

  receive(frame: Frame): Verdict {
    const endpoint = this.#endpoint;
    const refusal = endpoint.admit(frame, PROTOCOL_UDP) ??
      this.#refusal(frame);
    if (refusal !== undefined) return refusal;
    const { bytes } = frame;
    const at = endpoint.payloadAt;
    // Addresses and ports change places: the checksum over them stays right.
    setUdpPorts(bytes, at, this.#port, udpSourcePort(bytes, at));
    endpoint.turn(frame, udpLength(bytes, at));
    this.tally.add("echoed");
    return "reply";
  }

  /** Why the datagram that was admitted is not echoed; undefined when it is. */
  #refusal(frame: Frame): DropReason | undefined {
    const { bytes } = frame;
    const { headerAt, payloadAt, payloadEnd } = this.#endpoint;
    const source = ipv4Source(bytes, headerAt);
    const destination = ipv4Destination(bytes, headerAt);
    const pseudoSum = pseudoHeaderSum(source, destination, PROTOCOL_UDP);
    if (mayBePartial(frame.offload)) {
      completeUdp(bytes, payloadAt, payloadEnd, pseudoSum);
    }
    const problem = checkUdp(bytes, payloadAt, payloadEnd, pseudoSum);
    if (problem !== undefined) return `drop:${problem}`;
    if (udpDestinationPort(bytes, payloadAt) !== this.#port) {
      return "drop:not-mine";
    }
    const port = udpSourcePort(bytes, payloadAt);
    if (port === 0) return "drop:no-source-port";
    if (port === this.#port || ANSWERING_PORTS.includes(port)) {
      return "drop:echo-loop";
    }
    return undefined;
  }
}
