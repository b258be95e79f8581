/** The rooms that are mutated, and which tests belong to each. */

/** Sources that are mutated together, and what must notice. */
export interface Room {
  /** Files, and folders with all that is in them, from the project's root. */
  readonly sources: readonly string[];
  /** Test files and folders; quick ones first, since the first that fails ends the run. */
  readonly tests: readonly string[];
}

/** By name. */
export const ROOMS: Readonly<Record<string, Room>> = {
  "caps": {
    sources: ["caps"],
    tests: ["tests/caps", "tests/drivers/service", "tests/model/model_test.ts"],
  },
  "drivers/service": {
    sources: ["drivers/service"],
    tests: [
      "tests/drivers/service",
      "tests/services/core",
      "tests/model/model_test.ts",
    ],
  },
  "drivers/segment": {
    sources: ["drivers/segment"],
    tests: [
      "tests/drivers/segment",
      "tests/drivers/service/segments_test.ts",
    ],
  },
  "tunnel-window": {
    sources: ["drivers/tunnel/replay_window.ts", "drivers/tunnel/allowance.ts"],
    tests: ["tests/drivers/tunnel"],
  },
  "services/filter/service": {
    sources: ["services/filter/service"],
    tests: ["tests/services/filter/service", "tests/model/model_test.ts"],
  },
  "services/interpose": {
    sources: ["services/interpose"],
    tests: ["tests/services/interpose", "tests/model/model_test.ts"],
  },
  "services/loader": {
    sources: ["services/loader"],
    tests: ["tests/services/loader", "tests/system/module_test.ts"],
  },
};
