import "../runtime/confine.ts";
import { serveService } from "../core/serve.ts";
import { arpService } from "./service.ts";

serveService(arpService);
