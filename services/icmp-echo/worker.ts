import "../runtime/confine.ts";
import { serveService } from "../core/serve.ts";
import { icmpEchoService } from "./service.ts";

serveService(icmpEchoService);
