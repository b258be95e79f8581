import "../../services/runtime/confine.ts";
import { serveService } from "../../services/core/serve.ts";
import { tcpSource } from "./tcp_source.ts";

serveService(tcpSource);
