/** A hardened worker that lets go of the port which it is sent, and then says so by the second. */

import "../../../services/runtime/confine.ts";
import { fromMessagePort } from "../../../caps/port/port.ts";
import { harden } from "../../../services/loader/harden.ts";

const scope = globalThis as unknown as {
  onmessage: ((event: MessageEvent<MessagePort[]>) => void) | null;
};
scope.onmessage = ({ data: [first, second] }) => {
  harden({}, () => {});
  fromMessagePort(first!)[Symbol.dispose]();
  second!.postMessage("done");
  setTimeout(() => second!.postMessage("still there"), 20);
};
