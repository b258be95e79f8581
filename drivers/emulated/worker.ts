import { serveDriver } from "../service/start.ts";
import { openEmulatedNic } from "./nic.ts";

serveDriver(openEmulatedNic);
