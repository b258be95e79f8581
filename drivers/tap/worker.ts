import { serveDriver } from "../service/shell.ts";
import { openTapNic } from "./nic.ts";

serveDriver(openTapNic);
