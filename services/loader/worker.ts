import "../runtime/confine.ts";
import { serveModule } from "./serve.ts";

serveModule();
