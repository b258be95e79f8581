/** Faults in interposers, the loader, the runtime's parts and the protocols. */

import { type Fault, fault } from "./fault.ts";

const RELAY = {
  file: "services/interpose/relay.ts",
  test: "services/interpose/relay_test.ts",
};
const LAYER = {
  file: "services/interpose/layer.ts",
  test: "services/interpose/layer_test.ts",
};
const HELD = {
  file: "services/interpose/held_frames.ts",
  test: "services/interpose/held_frames_test.ts",
};
const HARDEN = {
  file: "services/loader/harden.ts",
  test: "services/loader/scan_test.ts",
};
const SCOPE = {
  file: "services/loader/module_scope.ts",
  test: "services/loader/module_scope_test.ts",
};
const CONFINE = {
  file: "services/runtime/confine.ts",
  test: "services/runtime/confine_test.ts",
};
const ENDPOINT = {
  file: "services/ip/ipv4_endpoint.ts",
  test: "services/ip/ipv4_endpoint_test.ts",
};
const ARP = { file: "services/arp/core.ts", test: "services/arp/core_test.ts" };

const OUTGOING = {
  file: "services/core/outgoing_string.ts",
  test: "services/core/frames_and_room_test.ts",
};
const MODULE_LIMITS = {
  file: "services/loader/limits.ts",
  test: "services/loader/limits_test.ts",
};

/** All of them. */
export const SERVICE_FAULTS: readonly Fault[] = [
  fault(
    "a core may open a frame whose record nobody can read",
    { ...OUTGOING, filter: "however long" },
    "if (sizeBytes > INLINE_BYTES_MAX) return undefined;",
    "if (sizeBytes > INLINE_BYTES_MAX + 8) return undefined;",
  ),
  fault(
    "the offload word of a core's own frame is lost",
    { ...OUTGOING, filter: "carries its wish" },
    "this.#writer.addInline(this.#place, frame.length, frame.offload);",
    "this.#writer.addInline(this.#place, frame.length);",
  ),
  fault(
    "a core's answer loses its offload word",
    {
      ...OUTGOING,
      file: "services/core/record_frame.ts",
      filter: "hears the offload word",
    },
    "    view.setOffload(at, this.frame.offload);\n",
    "",
  ),
  fault(
    "a datagram from port 0 is answered",
    {
      file: "services/udp/answers.ts",
      test: "services/udp/answers_test.ts",
      filter: "port 0",
    },
    '    if (port === 0) return "drop:no-source-port";\n',
    "",
  ),
  fault(
    "a module has one token more than it may",
    { ...MODULE_LIMITS, filter: "tokens" },
    "if (count > TOKENS_MAX)",
    "if (count > TOKENS_MAX + 1)",
  ),
  fault(
    "a module has one token less than it may",
    { ...MODULE_LIMITS, filter: "tokens" },
    "if (count > TOKENS_MAX)",
    "if (count >= TOKENS_MAX)",
  ),
  fault(
    "a module's syntax lies one deeper than it may",
    { ...MODULE_LIMITS, filter: "500 deep" },
    "if (depth > DEPTH_MAX) return true;",
    "if (depth > DEPTH_MAX + 1) return true;",
  ),
  fault(
    "a module's syntax lies one less deep than it may",
    { ...MODULE_LIMITS, filter: "500 deep" },
    "if (depth > DEPTH_MAX) return true;",
    "if (depth >= DEPTH_MAX) return true;",
  ),
  fault(
    "a relay reads without a bound",
    RELAY,
    "if (count === IN_FLIGHT_MAX && message !== undefined) this.#flood();\n      else if",
    "if",
  ),
  fault(
    "what a relay has not read is lost when its holder ends",
    RELAY,
    "  giveBack(): void {\n    this.#submit();\n",
    "  giveBack(): void {\n",
  ),
  fault(
    "an extent is no page to a relay",
    { ...RELAY, filter: "each buffer once" },
    "if (!isPageOrExtent(page)) return undefined;",
    "if (!isPageOrExtent(page) || page.byteLength > 4096) return undefined;",
  ),
  fault(
    "the pages of what is dropped are kept",
    { ...LAYER, test: "services/interpose/conservation_test.ts" },
    "          back = view.putPage(back, 0, frame, 0, returned.length, 0);\n          returned.push(page);\n",
    "",
  ),
  fault(
    "a holder has one delivery more unanswered than a driver has strings",
    LAYER,
    "this.#unanswered >= UNANSWERED_MAX",
    "this.#unanswered > UNANSWERED_MAX",
  ),
  fault(
    "one frame more is held than has room",
    HELD,
    "if (this.#sizeBytes + sizeBytes > HELD_BYTES_MAX) return false;",
    "if (this.#sizeBytes > HELD_BYTES_MAX) return false;",
  ),
  fault(
    "the pages of held frames cost nothing",
    HELD,
    " + (page?.byteLength ?? 0)",
    "",
  ),
  fault(
    "frames of one time overtake each other",
    HELD,
    "this.#frames[place - 1]!.due > frame.due",
    "this.#frames[place - 1]!.due >= frame.due",
  ),
  fault(
    "a string more is kept than is out",
    {
      file: "services/interpose/string_pool.ts",
      test: "services/interpose/string_pool_test.ts",
    },
    "    if (this.out === 0) return false;\n",
    "",
  ),
  fault(
    "a prototype is left unfrozen",
    HARDEN,
    '    "".matchAll(/./g),\n',
    "",
  ),
  fault(
    "the global scope can be extended",
    HARDEN,
    "  Object.preventExtensions(globalThis);\n",
    "",
  ),
  fault(
    "a module finds what only its shell needs",
    HARDEN,
    '  "MessageEvent",\n',
    "",
  ),
  fault(
    "names are added to what is kept",
    CONFINE,
    "  reportError\n  `",
    "  reportError fetch\n  `",
  ),
  fault(
    "a kept name that only the shell needs is a module's, too",
    { ...CONFINE, test: "services/loader/scan_test.ts" },
    "  reportError\n  `",
    "  reportError structuredClone\n  `",
  ),
  fault(
    "an interval that was cleared counts on",
    SCOPE,
    "    waiting.delete(token as TimerToken);\n",
    "",
  ),
  fault(
    "a service may have as many timers as it likes",
    SCOPE,
    "if (waiting.size >= TIMERS_MAX) {",
    "if (waiting.size > Infinity) {",
  ),
  fault(
    "a negative delay reaches the runtime",
    SCOPE,
    "return delayMs > 0 ? Math.min(Math.floor(delayMs), DELAY_MAX_MS) : 0;",
    "return delayMs;",
  ),
  fault(
    "an import whose names are of types alone is one all the same",
    {
      file: "services/loader/check.ts",
      test: "services/loader/compile_test.ts",
    },
    "  if (clause.isTypeOnly) return true;\n",
    "",
  ),
  fault(
    "a timer that goes off too soon rings its alarm",
    {
      file: "services/runtime/alarms.ts",
      test: "services/runtime/alarms_test.ts",
      filter: "too soon",
    },
    "while (this.#queue.nextUs <= nowUs) {",
    "while (this.#queue.size > 0) {",
  ),
  fault(
    "a timer outlives its service",
    {
      file: "services/runtime/alarms.ts",
      test: "services/runtime/alarms_test.ts",
    },
    "    this.#clock.wake(Infinity, () => {});\n",
    "",
  ),
  fault(
    "alarms are set after their end",
    {
      file: "services/runtime/alarms.ts",
      test: "services/runtime/alarms_test.ts",
    },
    "    if (this.#silent) return;\n",
    "",
  ),
  fault(
    "who does not answer is waited for by a timer still",
    {
      file: "services/runtime/calls.ts",
      test: "services/runtime/calls_test.ts",
    },
    "    clearTimeout(waiting.timer);\n",
    "",
  ),
  fault(
    "an answer to another question is taken",
    {
      file: "services/runtime/control_line.ts",
      test: "services/runtime/control_line_test.ts",
    },
    "if (answer.kind === kind) {",
    "if (answer.kind !== undefined) {",
  ),
  fault(
    "a random number below a bound is the bound at times",
    {
      file: "services/runtime/random.ts",
      test: "services/runtime/random_test.ts",
    },
    "return low + this.below(high - low + 1);",
    "return low + this.below(high - low + 2);",
  ),
  fault(
    "a delay goes by milliseconds where it says microseconds",
    {
      file: "services/interpose/delay.ts",
      test: "services/interpose/interposers_test.ts",
      filter: "jitter",
    },
    "this.#delayUs = delayMs * 1000;",
    "this.#delayUs = delayMs;",
  ),
  fault(
    "a group is answered to",
    ENDPOINT,
    "    if (isGroupMac(bytes, start + MAC_BYTES)) return false;\n",
    "",
  ),
  fault(
    "the network's broadcast address is answered to",
    ENDPOINT,
    "if (host === 0 || host === mask) return false;",
    "if (host === 0) return false;",
  ),
  fault(
    "a fragment is taken for a whole datagram",
    ENDPOINT,
    '    if (ipv4IsFragment(bytes, at)) return "drop:fragment";\n',
    "",
  ),
  fault(
    "a reply has the options of its request",
    {
      ...ENDPOINT,
      test: "services/icmp-echo/core_test.ts",
    },
    "    if (optionBytes > 0) {",
    "    if (optionBytes > 40) {",
  ),
  fault(
    "a probe of our address is taken for another host's use of it",
    ARP,
    "if (senderAddress !== 0 && !isHostAddress(senderAddress))",
    "if (!isHostAddress(senderAddress))",
  ),
  fault(
    "ARP answers for every address",
    ARP,
    '      : "drop:not-mine";',
    "      : undefined;",
  ),
  fault(
    "a reply of zeros alone has a wrong checksum",
    {
      file: "services/icmp-echo/core.ts",
      test: "services/icmp-echo/core_test.ts",
    },
    "  if (updated === 0) setU16(bytes, at + 2, checksum(bytes, at, end));\n",
    "",
  ),
  fault(
    "an answer is one byte longer than the MTU",
    { file: "services/udp/answers.ts", test: "services/udp/answers_test.ts" },
    'if (sizeBytes > this.#mtu) return "drop:too-large";',
    'if (sizeBytes > this.#mtu + 1) return "drop:too-large";',
  ),
];
