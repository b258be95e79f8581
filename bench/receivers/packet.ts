/**
 * `packet.ts IFNAME ADDRESS PORT`: receives UDP to that address and port through
 * a packet socket with our driver and our cover in the kernel, counts, and gives
 * each frame back.
 */

import { makePacketMemory } from "../../caps/memory/memory.ts";
import { openPacket } from "../../drivers/packet/open.ts";
import { ipv4 } from "../../services/filter/grant/builder.ts";
import { SocketCover } from "../../services/filter/classic/cover.ts";
import { takeFrames } from "./frame_taker.ts";
import { reportTo } from "./report.ts";

const FRAMES = 4096;

const [interfaceName = "", address = "", port = ""] = Deno.args;
const memory = makePacketMemory(FRAMES);
const driver = openPacket({ interfaceName, memory });
const grant = ipv4().udp().dst(address).dstPort(Number(port)).grant;
const cover = new SocketCover([{ slot: 1, grant, children: [] }]);
driver.admit?.(cover.emit());
let packets = 0;

takeFrames(driver, memory, (_batch, count) => packets += count);
await reportTo(() => packets);
driver[Symbol.dispose]();
Deno.exit(0);
