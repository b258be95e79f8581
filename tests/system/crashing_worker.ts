import { serveDriver } from "../../drivers/service/start.ts";
import { openCrashingNic } from "./crashing_nic.ts";

serveDriver(openCrashingNic);
