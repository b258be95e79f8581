/** Where services run, on the command line: `--place PLACE` for all, `--place NAME=PLACE` for one. */

import { PLACES } from "../../services/manifest/place.ts";
import { quoted } from "../../services/fields/field.ts";
import { quote, UsageError } from "../command/options.ts";

/** Places, as the options give them. */
export interface GivenPlaces {
  /** Of every service that is not named; undefined for what the manifest says. */
  readonly all: string | undefined;
  /** By the services' names. */
  readonly named: ReadonlyMap<string, string>;
}

/**
 * Reads what `--place` was given.
 * @throws {UsageError}
 */
export function readPlaces(values: readonly string[]): GivenPlaces {
  let all: string | undefined;
  const named = new Map<string, string>();
  for (const value of values) {
    const at = value.indexOf("=");
    const name = at < 0 ? undefined : value.slice(0, at);
    const place = value.slice(at + 1);
    if (!PLACES.some((known) => known === place) || name === "") {
      throw new UsageError(
        `--place ${quote(value)}: expected ${
          quoted(PLACES)
        }, alone for all services or behind the name of one, such as arp=${
          PLACES[0]
        }`,
      );
    }
    const before = name === undefined ? all : named.get(name);
    if (before !== undefined) {
      throw new UsageError(
        `--place ${quote(value)}: ${name ?? "every service"} was given ${
          quote(before)
        } already; leave one of them out`,
      );
    }
    if (name === undefined) all = place;
    else named.set(name, place);
  }
  return { all, named };
}

/**
 * A manifest, as it is written, with its services in these places.
 * @throws {UsageError} when there is no service of a name that was given.
 */
export function setPlaces(
  manifest: Readonly<Record<string, unknown>>,
  { all, named }: GivenPlaces,
): Readonly<Record<string, unknown>> {
  const { services } = manifest;
  if (typeof services !== "object" || services === null) return manifest;
  for (const name of named.keys()) {
    if (Object.hasOwn(services, name)) continue;
    throw new UsageError(
      `--place: there is no service ${quote(name)}; there are ${
        Object.keys(services).join(", ")
      }`,
    );
  }
  const placed = Object.entries(services).map(([name, service]) => {
    const place = named.get(name) ?? all;
    const isRecord = typeof service === "object" && service !== null;
    return [
      name,
      place === undefined || !isRecord ? service : { ...service, place },
    ];
  });
  return { ...manifest, services: Object.fromEntries(placed) };
}
