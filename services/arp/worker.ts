import "../confine.ts";
import { serveService } from "../shell.ts";
import { arpService } from "./service.ts";

serveService(arpService);
