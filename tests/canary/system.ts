/** Faults in the system, manifests and the command line. */

import { type Fault, fault } from "./fault.ts";

const SUPERVISED = {
  file: "services/system/supervision/supervised.ts",
  test: "services/system/supervision/supervised_test.ts",
};
const REPORT = {
  file: "services/system/supervision/service_report.ts",
  test: "services/system/supervision/service_report_test.ts",
};
const MANIFEST_SERVICES = {
  file: "services/manifest/service_rules.ts",
  test: "services/manifest/services_test.ts",
};

const SERVICE_ADDRESSES = "services/manifest/service_addresses_test.ts";

/** All of them. */
export const SYSTEM_FAULTS: readonly Fault[] = [
  fault(
    "a service that names its addresses has all of its system's",
    {
      file: "services/manifest/settings.ts",
      test: SERVICE_ADDRESSES,
      filter: "wants what a system",
    },
    "const { vlan, addresses = system.addresses } = service;",
    "const { vlan } = service;\n  const { addresses } = system;",
  ),
  fault(
    "a service names an address with any prefix",
    {
      file: "services/manifest/service_addresses.ts",
      test: SERVICE_ADDRESSES,
      filter: "with what to do",
    },
    "its.prefixBits !== one.prefixBits",
    "its.prefixBits > 128",
  ),
  fault(
    "services of different addresses want the same packets",
    {
      file: "services/manifest/service_rules.ts",
      test: SERVICE_ADDRESSES,
      filter: "have an address together",
    },
    "if (some === undefined || others === undefined) return true;",
    "if (some !== undefined || others !== undefined) return true;",
  ),
  fault(
    "who was cut off is started again",
    SUPERVISED,
    "const hopeless = wasCutOff || this.#silent > SILENT_RESTARTS_MAX;",
    "const hopeless = this.#silent > SILENT_RESTARTS_MAX;",
  ),
  fault(
    "who does not answer is started again once more",
    SUPERVISED,
    "this.#silent > SILENT_RESTARTS_MAX;",
    "this.#silent > SILENT_RESTARTS_MAX + 1;",
  ),
  fault(
    "a service that waits is started after its system's end",
    SUPERVISED,
    '    if (this.#phase.kind === "waiting") clearTimeout(this.#phase.timer);\n',
    "",
  ),
  fault(
    "the counts of lives before are lost",
    SUPERVISED,
    "    Object.assign(this.#before, this.counters);\n",
    "",
  ),
  fault(
    "a service reports as many counts as it likes",
    REPORT,
    "entries.length <= COUNTS_MAX &&\n    ",
    "",
  ),
  fault(
    "a service's names are as long as it likes",
    REPORT,
    "name.length <= NAME_LENGTH_MAX && ",
    "",
  ),
  fault(
    "a reason is as long as it likes",
    {
      file: "services/system/one_line.ts",
      test: "services/system/supervision/service_report_test.ts",
    },
    "\n    .slice(0, MESSAGE_LENGTH_MAX)",
    "",
  ),
  fault(
    "one restart more within a minute than allowed",
    {
      file: "services/system/restarts.ts",
      test: "services/system/supervision/supervised_test.ts",
    },
    "if (this.#recent.length >= this.#max) return undefined;",
    "if (this.#recent.length > this.#max) return undefined;",
  ),
  fault(
    "a delay before a restart grows without an end",
    {
      file: "services/system/restarts.ts",
      test: "system/restarts_test.ts",
    },
    "Math.min(2 * delayMs, DELAY_MS_MAX)",
    "2 * delayMs",
  ),
  fault(
    "two services may want the same packets",
    MANIFEST_SERVICES,
    "    if (holder === undefined) {",
    "    if (holder !== name) {",
  ),
  fault(
    "one service more than a system may have",
    MANIFEST_SERVICES,
    "if (names.length > SERVICES_MAX) {",
    "if (names.length > SERVICES_MAX + 1) {",
  ),
  fault(
    "a service may watch itself",
    MANIFEST_SERVICES,
    "watched !== name && ",
    "",
  ),
  fault(
    "quotas may take the NIC's own frames",
    {
      file: "services/manifest/quotas.ts",
      test: "services/manifest/services_test.ts",
    },
    "const lendable = lendableFrames(manifest.frames);",
    "const lendable = manifest.frames;",
  ),
  fault(
    "of a text's last column more is taken than there is",
    { file: "cli/screen/text.ts", test: "cli/screen/table_test.ts" },
    "if (taken > columns - 1) break;",
    "if (taken > columns) break;",
  ),
  fault(
    "escapes reach the terminal",
    { file: "cli/screen/text.ts", test: "cli/screen/table_test.ts" },
    'return text.replace(/[\\p{C}\\p{Zl}\\p{Zp}]/gu, "?");',
    "return text;",
  ),
  fault(
    "a time before 1970 borrows nothing",
    {
      file: "cli/capture/time_text.ts",
      test: "cli/capture/time_text_test.ts",
    },
    "const borrow = nanoseconds > 0 ? 1 : 0;",
    "const borrow = 0;",
  ),
  fault(
    "a rotation names one file more than it may keep",
    { file: "cli/capture/rotation.ts", test: "cli/capture/rotation_test.ts" },
    "if (this.#sizeIndex >= this.#rotation.filesMax) this.#sizeIndex = 0;",
    "if (this.#sizeIndex > this.#rotation.filesMax) this.#sizeIndex = 0;",
  ),
];
