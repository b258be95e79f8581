/**
 * The worker that packets are posted to without Sallyport: one message a packet,
 * or one message with an array of packets. It looks at each one's Ethernet type
 * and says after every `batch` packets that they are done.
 */

import { onFirstMessage } from "../../caps/port/first_message.ts";
import { fromMessagePort, takeAll } from "../../caps/port/port.ts";

interface PlainStart {
  readonly port: MessagePort;
  readonly batch: number;
}

onFirstMessage(({ port: end, batch }: PlainStart) => {
  const port = fromMessagePort<number, unknown>(end);
  let packets = 0;
  let acknowledged = 0;
  const look = (packet: Uint8Array) => {
    if (packet[12] === 8 && packet[13] === 0) packets++;
  };
  port.onReady = () => {
    for (const data of takeAll(port)) {
      if (Array.isArray(data)) { for (const packet of data) look(packet); }
      else {
        look(
          data instanceof ArrayBuffer
            ? new Uint8Array(data)
            : data as Uint8Array,
        );
      }
    }
    if (packets - acknowledged < batch) return;
    port.post(packets - acknowledged);
    acknowledged = packets;
  };
  port.post(0);
});
