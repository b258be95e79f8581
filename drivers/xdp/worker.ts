import { serveDriver } from "../service/start.ts";
import { openXdpNic } from "./nic.ts";

serveDriver(openXdpNic);
