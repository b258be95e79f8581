/** A service that asks another how much it may send, and sends all of it at once: a super-packet, which leaves as datagrams that the wire takes. */

import * as lib from "../mod.ts";

const inSegments = lib.offloadWord(lib.CHECKSUM_PARTIAL, lib.GSO_UDP, 1400);

/** Who has sent a question goes to the other service, and how many bytes the answer may have comes back. */
export const allowances: lib.PortInterface<lib.IpAddress, number> = lib
  .portInterface({
    name: "allowances",
    request: lib.portFields.ipAddress,
    answer: lib.portFields.u16,
  });

/** Answers at UDP port 9; asks at its port "allowance". */
export const sender: lib.ServiceDefinition = {
  ...lib.answerDatagrams(9, () => undefined), // for the frames alone

  make(settings, ports): lib.Core {
    const host = new lib.Ipv4Endpoint(settings);
    const port = ports.ask("allowance", allowances);

    function send(question: Uint8Array, bytes: number, out: lib.Outbox) {
      const frame = out.open(question.length + bytes);
      if (frame === undefined) return;
      frame.bytes.set(question, frame.start);
      frame.length = question.length;
      host.admit(frame, lib.PROTOCOL_UDP);
      const udp = host.payloadAt;
      frame.bytes.copyWithin(udp + 2, udp, udp + 2); // to the port that asked
      lib.setU16(frame.bytes, udp, 9);
      lib.setU16(frame.bytes, udp + 4, lib.UDP_BYTES + bytes);
      host.turn(frame, lib.UDP_BYTES + bytes);
      frame.offload = inSegments;
      out.send();
    }

    return {
      wakeAt: lib.NEVER,
      wake() {},
      counters: () => ({}),
      receive(frame) {
        const refused = host.admit(frame, lib.PROTOCOL_UDP);
        if (refused !== undefined) return refused;
        const question = frame.bytes.slice(frame.start, host.payloadEnd);
        const from = lib.getU32(frame.bytes, host.headerAt + 12);
        const isAsked = port.ask(
          lib.ipv4Address(from),
          (bytes = 0, _now, out) => send(question, bytes, out),
        );
        return isAsked ? "handled" : "drop:nobody-to-ask";
      },
    };
  },
};
