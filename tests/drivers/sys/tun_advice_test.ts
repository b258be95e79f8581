import { match } from "node:assert/strict";
import { Errno } from "../../../drivers/sys/abi.ts";
import { adviceToOpen } from "../../../drivers/sys/tun_advice.ts";

Deno.test("who may not open /dev/net/tun is told of the file, not of a capability that may be there", () => {
  match(adviceToOpen(Errno.EACCES), /this user may not open it/);
  match(adviceToOpen(Errno.EPERM), /container does not allow that device/);
  match(adviceToOpen(Errno.ENOENT), /modprobe tun/);
});
