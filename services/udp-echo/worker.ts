import "../runtime/confine.ts";
import { serveService } from "../core/serve.ts";
import { udpEchoService } from "./service.ts";

serveService(udpEchoService);
