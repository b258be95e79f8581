import { serveDriver } from "../../drivers/service/shell.ts";
import { openCrashingXdpNic } from "./crashing_nic.ts";

serveDriver(openCrashingXdpNic);
