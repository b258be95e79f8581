import "../confine.ts";
import { serveService } from "../shell.ts";
import { udpEchoService } from "./service.ts";

serveService(udpEchoService);
