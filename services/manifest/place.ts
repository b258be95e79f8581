/** Where a service runs, as a person says it. */

/**
 * The places, by the word in a manifest: `worker` is a confined worker of the
 * service's own; `process` is an operating system's process of its own, which may
 * do nothing; `driver` is the thread of the NIC's driver, where the service is
 * called with each packet as it lies in packet memory.
 */
export const PLACES = ["worker", "process", "driver"] as const;

/** Where a service runs. */
export type ServicePlace = typeof PLACES[number];

/** The place of a service whose manifest names none. */
export const PLACE_DEFAULT: ServicePlace = "worker";

/** The fields of a service that decide whether its place can be had. */
export interface PlacedService {
  readonly core: string;
  readonly place: ServicePlace;
  readonly trusted?: boolean | undefined;
  readonly interpose?: readonly unknown[] | undefined;
}

/** The names of the services that are in `place`. */
export function servicesIn(
  place: ServicePlace,
  services: Readonly<Record<string, Pick<PlacedService, "place">>>,
): string[] {
  return Object.keys(services).filter((name) =>
    services[name]!.place === place
  );
}

/** A field that excludes another. */
export interface PlaceProblem {
  readonly field: "place" | "trusted";
  /** What was expected, and what to do. */
  readonly message: string;
}

/**
 * Says why a service cannot be where it is to be; undefined when it can. In the
 * driver's thread `trusted` says no more than that a module may be there: then
 * packets that pass interposers come by a port as elsewhere. In a process it says
 * nothing: no packet memory is there.
 */
export function placeProblem(
  { core, place, trusted = false, interpose }: PlacedService,
): PlaceProblem | undefined {
  if (place === "driver") {
    if (core !== "module" || trusted) return undefined;
    return {
      field: "place",
      message:
        'expected "trusted": true beside "driver": in the driver\'s thread a module may do what the driver may, and can stop the NIC; add that, or let it be in a "worker"',
    };
  }
  if (!trusted || interpose === undefined) return undefined;
  return {
    field: "trusted",
    message:
      "expected no `interpose` beside it: what is trusted has its packets where they lie",
  };
}
