import "../../runtime/confine.ts";
import { onFirstMessage } from "../../../caps/port/first_message.ts";
import { startFilterService } from "./start.ts";

onFirstMessage(startFilterService);
