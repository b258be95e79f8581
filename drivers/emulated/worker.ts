import { serveDriver } from "../service/shell.ts";
import { openEmulatedNic } from "./nic.ts";

serveDriver(openEmulatedNic);
