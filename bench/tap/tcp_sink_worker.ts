import "../../services/runtime/confine.ts";
import { serveService } from "../../services/core/start.ts";
import { tcpSink } from "./tcp_sink.ts";

serveService(tcpSink);
