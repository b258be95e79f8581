/** A protocol: all that a manifest and a system have to know of its folder. */

import type { z } from "zod";
import type { ServiceDefinition, ServiceSettings } from "./definition.ts";

/** A protocol among others. */
export interface Protocol {
  /** The core's name in a manifest, and its folder's in services/. */
  readonly name: string;
  /**
   * How each field is read that its services have in a manifest. None may have the
   * name of a field that every service has.
   */
  readonly fields: Readonly<Record<string, z.ZodType>>;
  /**
   * The fields by which two services of it differ, so that their packets do: a
   * UDP port. Without any, a system has one such service at most.
   */
  readonly distinctBy: readonly string[];
  /**
   * The least pages that a service with these fields must be able to hold at once,
   * which a receive window says, on a NIC with super-packets (an extent is 17
   * pages) or without. 1 where it is absent.
   */
  pagesNeeded?(
    fields: object,
    nic: { readonly superPackets: boolean },
  ): number;
  /** A service of it, as a person writes it in a manifest. */
  readonly example: { readonly core: string };
  /** The service. Its settings have the fields too. */
  readonly definition: ServiceDefinition;
}

/**
 * What a protocol's folder exports: a {@link Protocol} whose services have
 * `Fields` in a manifest, which a person writes as `Written`.
 */
export interface ProtocolOf<
  Name extends string,
  Fields extends object = NoFields,
  Written extends object = Partial<Fields>,
> {
  /** See {@link Protocol.name}. */
  readonly name: Name;
  /** See {@link Protocol.fields}. */
  readonly fields: {
    readonly [Field in keyof Fields]: z.ZodType<
      Fields[Field],
      Field extends keyof Written ? Written[Field] : unknown
    >;
  };
  /** See {@link Protocol.distinctBy}. */
  readonly distinctBy: readonly (keyof Fields & string)[];
  /** See {@link Protocol.pagesNeeded}. */
  pagesNeeded?(
    fields: Fields,
    nic: { readonly superPackets: boolean },
  ): number;
  /** See {@link Protocol.example}. */
  readonly example: { readonly core: Name } & Written;
  /** See {@link Protocol.definition}. */
  readonly definition: ServiceDefinition<ServiceSettings & Fields>;
}

/** The fields of a protocol that has none of its own. */
export type NoFields = Readonly<Record<never, never>>;
