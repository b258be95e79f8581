import "../../runtime/confine.ts";
import { serveService } from "../../core/serve.ts";
import { CORES } from "../../manifest/cores.ts";
import { serveModule } from "../../loader/serve.ts";
import { standardStreams } from "../../runtime/process/standard_streams.ts";

const core = CORES.find(({ name }) => name === standardStreams?.argument);
if (core === undefined) serveModule();
else serveService(core.definition as Parameters<typeof serveService>[0]);
