/** What `confined: "process"` makes of a manifest. */

import type { Manifest } from "../../manifest/manifest.ts";

/** `manifest`, with a process in place of each worker. */
export function inProcesses(manifest: Manifest): Manifest {
  const services = Object.entries(manifest.services).map(([name, service]) => {
    const place = service.place === "worker" ? "process" : service.place;
    return [name, { ...service, place }] as const;
  });
  return { ...manifest, services: Object.fromEntries(services) };
}
