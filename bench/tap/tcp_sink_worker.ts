import "../../services/confine.ts";
import { serveService } from "../../services/shell.ts";
import { tcpSink } from "./tcp_sink.ts";

serveService(tcpSink);
