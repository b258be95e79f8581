import { ok, throws } from "node:assert/strict";
import {
  ManifestError,
  parseManifest,
} from "../../../services/manifest/manifest.ts";

/** The error that `value` is refused with. */
export function refusal(value: unknown): ManifestError {
  let caught: unknown;
  throws(() => parseManifest(value), (error) => {
    caught = error;
    return true;
  });
  ok(caught instanceof ManifestError, String(caught));
  return caught;
}
