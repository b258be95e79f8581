import { serveDriver } from "../service/start.ts";
import { openTapNic } from "./nic.ts";

serveDriver(openTapNic);
