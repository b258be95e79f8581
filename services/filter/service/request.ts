/** Reads requests, which may be anything that a message brought. */

import { given } from "../../../caps/kernel/given.ts";
import type {
  Delegation,
  Derivation,
} from "../../../caps/kernel/capability.ts";
import {
  isRateLimit,
  type RateLimit,
} from "../../../caps/kernel/rate_limit.ts";
import type { Instant } from "../../runtime/clock.ts";
import { type Grant, GrantError } from "../grant/grant.ts";
import { checkGrant } from "../grant/check.ts";
import type { FilterRequest } from "./messages.ts";
import { compileResidual } from "../residual/compile.ts";

/** What can be asked. */
const OPERATIONS: ReadonlySet<unknown> = new Set<FilterRequest["op"]>(
  ["derive", "delegate", "close", "revoke", "drop", "account"],
);

/** Whether `value` is a request that can be answered; its other fields may be anything still. */
export function isRequest(value: unknown): value is FilterRequest {
  if (typeof value !== "object" || value === null) return false;
  const { id, op } = value as Partial<FilterRequest>;
  return typeof id === "number" && OPERATIONS.has(op);
}

/**
 * What is to be derived, asked for at `nowUs`. The kernel checks the numbers.
 * @throws {GrantError} {@link FilterError} when a grant, a text or a lifetime is none.
 */
export function derivationOf(
  request: Extract<FilterRequest, { op: "derive" }>,
  nowUs: Instant,
): Derivation<Grant> {
  const { residual, rights, quotaPages, copyBytesMax, to } = request;
  const grant = checkGrant(request.grant);
  const sends = request.sends === undefined
    ? undefined
    : checkGrant(request.sends);
  if (residual !== undefined) {
    if (typeof residual !== "string") {
      throw new GrantError("a residual is filter text: a string");
    }
    compileResidual(residual);
  }
  return {
    grant,
    rights,
    quotaPages,
    ...given({ residual, sends, copyBytesMax, to }),
    ...expiry(request.lifetimeMs, nowUs),
    ...limit(request.limit),
  };
}

/**
 * What is to be delegated, asked for at `nowUs`.
 * @throws {GrantError} when the lifetime is none.
 */
export function delegationOf(
  request: Extract<FilterRequest, { op: "delegate" }>,
  nowUs: Instant,
): Delegation {
  const { to, rights, quotaPages, lifetimeMs } = request;
  return {
    to,
    ...given({ rights, quotaPages }),
    ...expiry(lifetimeMs, nowUs),
    ...limit(request.limit),
  };
}

function limit(
  asked: RateLimit | undefined,
): { readonly limit?: RateLimit } {
  if (asked === undefined) return {};
  if (!isRateLimit(asked)) {
    throw new GrantError(
      "limit has packetsPerSecond or bytesPerSecond or both, each more than 0",
    );
  }
  return { limit: asked };
}

function expiry(
  lifetimeMs: unknown,
  nowUs: Instant,
): { readonly expiresAtUs?: Instant } {
  if (lifetimeMs === undefined) return {};
  if (
    typeof lifetimeMs !== "number" || !Number.isFinite(lifetimeMs) ||
    lifetimeMs <= 0
  ) {
    throw new GrantError("lifetimeMs is a positive number of milliseconds");
  }
  return { expiresAtUs: nowUs + lifetimeMs * 1000 };
}
