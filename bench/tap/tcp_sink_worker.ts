import "../../services/runtime/confine.ts";
import { serveService } from "../../services/core/serve.ts";
import { tcpSink } from "./tcp_sink.ts";

serveService(tcpSink);
