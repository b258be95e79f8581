import "../confine.ts";
import { serveService } from "../shell.ts";
import { icmpEchoService } from "./service.ts";

serveService(icmpEchoService);
