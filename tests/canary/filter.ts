/** Faults in the filter service, and in what keeps siblings apart. */

import { type Fault, fault } from "./fault.ts";

const FILTER = {
  file: "services/filter/service/service.ts",
  test: "services/filter/service/lifetime_test.ts",
};
const INSTALLER = {
  file: "services/filter/service/installer.ts",
  test: "services/filter/service/interleavings_test.ts",
};
const EXPIRY = {
  file: "services/filter/service/expiry.ts",
  test: "services/filter/service/expiry_test.ts",
};
const COMPILATION = {
  file: "services/filter/service/compilation.ts",
  test: "services/filter/service/compilation_test.ts",
};
const REQUESTS = {
  file: "services/filter/service/requests.ts",
  test: "services/filter/service/limits_test.ts",
};
const INDEX = {
  file: "services/filter/siblings/grant_index.ts",
  test: "services/filter/siblings/grant_index_test.ts",
};

/** All of them. */
export const FILTER_FAULTS: readonly Fault[] = [
  fault(
    "a detached holder is not waited for that ends just now",
    { ...FILTER, filter: "is detached only when" },
    "    await Promise.all(ending);\n",
    "",
  ),
  fault(
    "a timer that is late keeps a tag alive",
    { ...FILTER, filter: "a timer that is late" },
    "    this.#expire();\n    try {",
    "    try {",
  ),
  fault(
    "what the driver cannot install was granted all the same",
    { ...FILTER, test: "services/filter/service/service_test.ts" },
    "    await this.#end(this.#drop(derived.node));\n",
    "",
  ),
  fault(
    "what was revoked before its round of installing is opened in the driver",
    INSTALLER,
    "kernel.present(node.port, capabilityOf(node.tag)) === node",
    "node !== undefined",
  ),
  fault(
    "two rounds of installing are under way at once",
    {
      ...INSTALLER,
      test: "services/filter/service/installer_test.ts",
      filter: "a round of installing",
    },
    "      this.#round = round;\n",
    "",
  ),
  fault(
    "a change of a kernel's map that was refused counts as installed",
    {
      ...INSTALLER,
      test: "services/filter/service/patching_test.ts",
      filter: "no room",
    },
    "if (await this.#order(order) === undefined) return undefined;",
    "return void await this.#order(order);",
  ),
  fault(
    "a program that was refused counts as installed",
    {
      ...INSTALLER,
      test: "services/filter/service/patching_test.ts",
      filter: "packet socket refused",
    },
    "    if (refusal === undefined) this.#installed = compilation;\n",
    "    this.#installed = compilation;\n",
  ),
  fault(
    "a NIC whose program was refused counts as classifying",
    {
      file: "drivers/service/kernel_classifier.ts",
      test: "drivers/service/kernel_classifier_test.ts",
      filter: "own address",
    },
    '    try {\n      if (order.kind === "patch")',
    '    this.#active = true;\n    try {\n      if (order.kind === "patch")',
  ),
  fault(
    "the alarm stays where it was when something expires earlier",
    EXPIRY,
    "(this.#alarm?.expiresAtUs ?? Infinity) === atUs",
    "(this.#alarm?.expiresAtUs ?? Infinity) <= atUs || this.#alarm",
  ),
  fault(
    "the alarm stays at what has ended, and rings too early",
    EXPIRY,
    "(this.#alarm?.expiresAtUs ?? Infinity) === atUs",
    "(this.#alarm?.expiresAtUs ?? Infinity) <= atUs",
  ),
  fault(
    "a flow that ended stays in the tables",
    { ...COMPILATION, filter: "Wasm that is patched" },
    "      this.#wasm.deleteFlow(place.branch, place.key);\n",
    "",
  ),
  fault(
    "one change more than tables take",
    { ...COMPILATION, test: "services/filter/service/limits_test.ts" },
    "if (ended.length + opened.length > CHANGES_MAX)",
    "if (ended.length + opened.length > CHANGES_MAX + 1)",
  ),
  fault(
    "one request more waits than may",
    REQUESTS,
    "if (this.#waiting.length >= REQUESTS_WAITING_MAX)",
    "if (this.#waiting.length > REQUESTS_WAITING_MAX)",
  ),
  fault(
    "the presenter of void tags waits without an end",
    REQUESTS,
    "Math.min(++this.#voids, PENALTY_MS_MAX)",
    "++this.#voids",
  ),
  fault(
    "a lifetime is taken for microseconds",
    {
      file: "services/filter/service/request.ts",
      test: "services/filter/service/lifetime_test.ts",
      filter: "exactly the unexpired",
    },
    "nowUs + lifetimeMs * 1000",
    "nowUs + lifetimeMs",
  ),
  fault(
    "a grant that was added twice is gone when one of it is removed",
    {
      file: "caps/kernel/sibling_index.ts",
      test: "caps/kernel/kernel_test.ts",
    },
    "if (count > 1) this.#grants.set(grant, count - 1);\n    else ",
    "",
  ),
  fault(
    "a removed grant is found still in a projection",
    INDEX,
    "      alike.delete(entry);\n",
    "",
  ),
  fault(
    "a new grant is not in the projections that there are",
    INDEX,
    "      put(projection, entry);\n",
    "",
  ),
  fault(
    "the grant that was lowered last is taken for every other",
    INDEX,
    "if (this.#lowered?.grant !== grant) {",
    "if (this.#lowered === undefined) {",
  ),
  fault(
    "an intersection has one conjunction more than a grant may",
    {
      file: "services/filter/siblings/algebra.ts",
      test: "services/filter/siblings/algebra_test.ts",
    },
    "return both.length <= CONJUNCTIONS_MAX ? both : undefined;",
    "return both;",
  ),
];
