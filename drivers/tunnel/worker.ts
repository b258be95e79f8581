import { serveDriver } from "../service/start.ts";
import { openUdpNic } from "./nic.ts";

serveDriver(openUdpNic);
