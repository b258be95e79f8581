import type { ServiceSnapshot } from "../../services/system/snapshot.ts";

/** Packets that a service was handed, as its capabilities count them, those that have ended included. */
export function deliveredIn({ capabilities }: ServiceSnapshot): number {
  return capabilities.reduce((sum, one) => sum + one.deliveredPackets, 0);
}
