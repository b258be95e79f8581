import { serveDriver } from "../../drivers/service/start.ts";
import { openCrashingPacketNic } from "./crashing_nic.ts";

serveDriver(openCrashingPacketNic);
