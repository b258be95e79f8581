import { serveDriver } from "../../drivers/service/shell.ts";
import { openCrashingPacketNic } from "./crashing_nic.ts";

serveDriver(openCrashingPacketNic);
