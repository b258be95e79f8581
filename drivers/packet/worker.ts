import { serveDriver } from "../service/shell.ts";
import { openPacketNic } from "./nic.ts";

serveDriver(openPacketNic);
