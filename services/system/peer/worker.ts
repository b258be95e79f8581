import "../../runtime/confine.ts";
import { onFirstMessage } from "../../../caps/port/first_message.ts";
import { startPeer } from "./start.ts";

onFirstMessage(startPeer);
