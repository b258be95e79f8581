import "../../runtime/confine.ts";
import { type FilterStart, startFilterService } from "./start.ts";

const scope = globalThis as unknown as {
  onmessage: ((event: MessageEvent) => void) | null;
};
scope.onmessage = (event) => {
  scope.onmessage = null;
  startFilterService(event.data as FilterStart);
};
