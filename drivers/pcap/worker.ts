import { serveDriver } from "../service/start.ts";
import { openPcapNic } from "./nic.ts";

serveDriver(openPcapNic);
