import { serveCallingDriver } from "../../drivers/service/start.ts";
import { runCalled } from "../../services/system/driver/run_called.ts";
import { openCrashingNic } from "./crashing_nic.ts";

serveCallingDriver(openCrashingNic, runCalled);
