import { onFirstMessage } from "../../../caps/port/first_message.ts";
import { startNursery } from "./start.ts";

onFirstMessage(startNursery);
