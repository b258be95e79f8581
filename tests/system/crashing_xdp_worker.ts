import { serveDriver } from "../../drivers/service/start.ts";
import { openCrashingXdpNic } from "./crashing_nic.ts";

serveDriver(openCrashingXdpNic);
