import { serveDriver } from "../service/start.ts";
import { openPacketNic } from "./nic.ts";

serveDriver(openPacketNic);
