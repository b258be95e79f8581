import { serveDriver } from "../service/shell.ts";
import { openUdpNic } from "./nic.ts";

serveDriver(openUdpNic);
