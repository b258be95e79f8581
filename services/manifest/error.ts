/** What is wrong with a manifest, one line a field. */

import type { z } from "zod";
import { showValue } from "../fields/show_value.ts";
import { nearest } from "./nearest.ts";

/** What a service's name must be. */
export const SERVICE_NAME_EXPECTED =
  "expected a name of at most 32 lower-case letters, digits and dashes (no dash first)";

/** Says what is wrong with the field at `path`. */
export type Complain = (path: string[], message: string) => void;

/** A field that is wrong. */
export interface ManifestProblem {
  /** The field's place: `["services", "udp-echo", "port"]`; empty for the whole. */
  readonly path: readonly string[];
  /** What was expected and what was there. */
  readonly message: string;
}

/** A manifest was refused. */
export class ManifestError extends Error {
  /** `ManifestError`. */
  override readonly name = "ManifestError";
  /** Each field that is wrong. */
  readonly problems: readonly ManifestProblem[];

  /** An error whose message is one line for each of `problems`. */
  constructor(problems: readonly ManifestProblem[]) {
    super(
      problems.map(({ path, message }) => `${formatPath(path)}: ${message}`)
        .join("\n"),
    );
    this.problems = problems;
  }
}

/** `services.udp-echo.port`; names that would not read well are quoted. */
function formatPath(path: readonly string[]): string {
  if (path.length === 0) return "manifest";
  return path.map((name) => /^[\w-]{1,64}$/.test(name) ? name : showValue(name))
    .join(".");
}

/**
 * Describes zod's issues. `fieldsAt` names the fields that are known at a path,
 * so that the message of an unknown one says which was meant.
 */
export function describeIssues(
  issues: readonly z.core.$ZodIssue[],
  fieldsAt: (path: readonly string[]) => readonly string[],
): ManifestProblem[] {
  return issues.flatMap((issue): ManifestProblem[] => {
    const path = issue.path.map(String);
    if (issue.code === "unrecognized_keys") {
      return issue.keys.map((key) => ({
        path: [...path, key],
        message: describeUnknown(key, fieldsAt(path)),
      }));
    }
    if (issue.code === "invalid_key") {
      // A port's name says itself what it may be; a service's does not.
      const [said] = path[2] === "ports" ? issue.issues : [];
      return [{ path, message: said?.message ?? SERVICE_NAME_EXPECTED }];
    }
    return [{ path, message: issue.message }];
  });
}

function describeUnknown(key: string, known: readonly string[]): string {
  if (known.includes(key)) return "this core has no such field";
  const meant = nearest(key, known);
  return meant === undefined
    ? `unknown field; the fields are ${known.join(", ")}`
    : `unknown field; did you mean ${meant}?`;
}
