import { serveDriver } from "../service/shell.ts";
import { openXdpNic } from "./nic.ts";

serveDriver(openXdpNic);
