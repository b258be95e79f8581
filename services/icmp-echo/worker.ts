import "../runtime/confine.ts";
import { serveService } from "../core/start.ts";
import { icmpEchoService } from "./service.ts";

serveService(icmpEchoService);
