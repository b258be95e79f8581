/** A third party's service as a part of a system. */

import type { ServiceDefinition } from "../../core/definition.ts";
import { grant } from "../../filter/grant/text/grant_text.ts";
import { type EnvelopeTexts, mayBeSent } from "../../loader/envelope.ts";
import { definitionOf, type ServiceFactory } from "../../loader/factory.ts";
import { serviceKit } from "../../loader/kit.ts";
import { loadModule } from "../../loader/load.ts";
import type { Manifest } from "../../manifest/manifest.ts";
import { startService } from "../../core/start.ts";
import type { PlacedOptions } from "../system.ts";
import type { ServicePart } from "../parts.ts";

/** The parts for a manifest's modules, by the names of their services. */
export async function moduleParts(
  manifest: Manifest,
  options: Pick<PlacedOptions, "confined" | "modules">,
): Promise<Record<string, ServicePart>> {
  // Names are the user's: no table has any that the language put there.
  const parts: Record<string, ServicePart> = Object.create(null);
  const modules = new Map(Object.entries(options.modules ?? {}));
  if (options.confined && options.modules !== undefined) {
    throw new Error(
      "boot: modules are functions, which no worker can be sent; leave them out, and their files are loaded, or say confined: false",
    );
  }
  for (const [name, service] of Object.entries(manifest.services)) {
    if (service.core !== "module") continue;
    const inProcess = service.place === "process";
    if (inProcess && modules.has(name)) {
      throw new Error(
        `boot: service ${name}: modules are functions, which no process can be sent; leave it out of them, and its file is loaded`,
      );
    }
    parts[name] = options.confined || inProcess
      ? confinedPart(service, await loadModule(service.path))
      : ownPart(service, name, modules.get(name));
  }
  return parts;
}

const WORKER = {
  worker: new URL("../../loader/worker.ts", import.meta.url),
  permissions: "none",
  limited: true,
} as const;

function confinedPart(texts: EnvelopeTexts, module: string): ServicePart {
  return {
    ...WORKER,
    module,
    definition: envelopeOf(texts),
    here: () => {
      throw new Error("a module's file is run in a worker or a process only");
    },
  };
}

/** In the caller's own thread a module is the caller's own code, which it imported. */
function ownPart(
  texts: EnvelopeTexts,
  name: string,
  factory: ServiceFactory | undefined,
): ServicePart {
  if (factory === undefined) {
    throw new Error(
      `boot: service ${name} is a module, and such run confined; with confined: false import it yourself and give it as modules: { ${
        JSON.stringify(name)
      }: … }`,
    );
  }
  const definition = definitionOf(factory, serviceKit);
  return {
    ...WORKER,
    definition: envelopeOf(texts),
    here: (start, end) => void startService(definition, start, { end }),
  };
}

/** What it may have is the manifest's to say. */
function envelopeOf(
  texts: EnvelopeTexts,
): Pick<ServiceDefinition, "receives" | "sends"> {
  return {
    receives: () => grant(texts.receives),
    sends: (settings) => mayBeSent(texts, settings),
  };
}
