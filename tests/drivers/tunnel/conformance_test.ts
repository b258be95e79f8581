import { testDriver } from "../../conformance/driver.ts";
import { udpRig } from "./rig.ts";

testDriver("udp", udpRig, {
  file: import.meta.url,
  runs: 25,
  frameBytesMax: 1522,
  settleMs: 2000,
});
