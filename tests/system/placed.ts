/** Manifests whose services are in one place. */

import {
  DEFAULT_MANIFEST,
  type Manifest,
  type ManifestInput,
  parseManifest,
  type ServicePlace,
} from "../../services/manifest/manifest.ts";

/** The manifest `input`, the default by default, with all of its services in `place`. */
export function placed(
  place: ServicePlace,
  input: ManifestInput = DEFAULT_MANIFEST,
): Manifest {
  const services = Object.entries(input.services).map(([name, service]) =>
    [name, { ...service, place }] as const
  );
  return parseManifest({ ...input, services: Object.fromEntries(services) });
}
