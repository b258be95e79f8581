import { serveDriver } from "../../drivers/service/shell.ts";
import { openCrashingNic } from "./crashing_nic.ts";

serveDriver(openCrashingNic);
