import { serveDriver } from "../service/shell.ts";
import { openPcapNic } from "./nic.ts";

serveDriver(openPcapNic);
