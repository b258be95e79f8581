import "../runtime/confine.ts";
import { serveService } from "../core/start.ts";
import { udpEchoService } from "./service.ts";

serveService(udpEchoService);
