import "../runtime/confine.ts";
import { serveService } from "../core/start.ts";
import { arpService } from "./service.ts";

serveService(arpService);
