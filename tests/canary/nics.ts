/** Faults in the drivers of NICs, and in what they share. */

import { type Fault, fault } from "./fault.ts";

const SEGMENTER = {
  file: "drivers/segment/segmenter.ts",
  test: "drivers/segment/segmenter_test.ts",
};
const WINDOW = {
  file: "drivers/tunnel/replay_window.ts",
  test: "drivers/tunnel/replay_window_test.ts",
};
const RECEIVER = {
  file: "drivers/tunnel/receiver.ts",
  test: "drivers/tunnel/receiver_test.ts",
};
const CLASSIC = {
  file: "drivers/capture/classic.ts",
  test: "drivers/capture/format_test.ts",
};
const BLOCKS = {
  file: "drivers/packet/block_ring.ts",
  test: "drivers/packet/block_ring_test.ts",
};
const XDP_RING = {
  file: "drivers/xdp/ring.ts",
  test: "drivers/xdp/ring_test.ts",
};

/** All of them. */
export const NIC_FAULTS: readonly Fault[] = [
  fault(
    "one word of the replay window is not cleaned on a jump",
    WINDOW,
    "for (let i = 0; i < steps; i++)",
    "for (let i = 0; i < steps - 1; i++)",
  ),
  fault(
    "the replay window is one frame wider than its words",
    WINDOW,
    ">= WINDOW_FRAMES) return false;",
    "> WINDOW_FRAMES) return false;",
  ),
  fault(
    "a challenge is used twice",
    RECEIVER,
    '      if (from.challenge !== this.#challenge) return "replayed";\n',
    "",
  ),
  fault(
    "a session that was proven leaves its challenge as it was",
    RECEIVER,
    "      this.#challenge = newChallenge();\n",
    "",
  ),
  fault(
    "strangers cost as much as they like",
    { ...RECEIVER, filter: "as often as is allowed" },
    '    if (!this.#attempts.take()) return "unproven";\n',
    "",
  ),
  fault(
    "two offers at once make two sessions of one request",
    {
      file: "drivers/tunnel/sender.ts",
      test: "drivers/tunnel/sender_test.ts",
    },
    '    if (this.#requested !== requested) return "stale";\n',
    "",
  ),
  fault(
    "a completed checksum of 0 stays 0",
    {
      file: "drivers/segment/checksum.ts",
      test: "drivers/segment/segmenter_test.ts",
    },
    "checksum === 0 && packet.protocol === PROTOCOL_UDP\n      ? 0xffff",
    "checksum === 0 && packet.protocol === PROTOCOL_UDP\n      ? 0",
  ),
  fault(
    "a checksum that virtio asks for stays 0",
    {
      file: "drivers/segment/checksum.ts",
      test: "drivers/segment/virtio_header_test.ts",
    },
    "putU16(this.#bytes, at, sum === 0 ? 0xffff : sum);",
    "putU16(this.#bytes, at, sum);",
  ),
  fault(
    "every segment says that it is the last",
    SEGMENTER,
    "    if (!isLast) flags &= ~FIN_AND_PSH;\n",
    "",
  ),
  fault(
    "sequence numbers do not wrap",
    SEGMENTER,
    "putU16(bytes, transport + 4, sequence >>> 16 & 0xffff);",
    "putU16(bytes, transport + 4, Math.min(sequence / 0x10000, 0xffff));",
  ),
  fault(
    "fragments are taken for whole packets",
    {
      file: "drivers/segment/transport.ts",
      test: "drivers/segment/transport_test.ts",
    },
    "headerBytes < IPV4_BYTES || fragment || ",
    "headerBytes < IPV4_BYTES || ",
  ),
  fault(
    "a capture's nanoseconds are read as microseconds",
    CLASSIC,
    "this.#unit = magic === MAGIC_NANOSECONDS ? 1 : 1000;",
    "this.#unit = 1000;",
  ),
  fault(
    "one odd length of a capture costs what is behind it",
    { ...CLASSIC, test: "drivers/capture/odd_fields_test.ts" },
    "    return captured;\n",
    "    return Math.min(captured, original);\n",
  ),
  fault(
    "a capture that is cut off ends without a word",
    CLASSIC,
    "this.#endsWithin(headerBytes);",
    "{}",
  ),
  fault(
    "a replay waits for a packet from before the one in front of it",
    {
      file: "drivers/pcap/replay_end.ts",
      test: "drivers/pcap/driver_test.ts",
    },
    "Math.max(timeUs, this.#reachedUs)",
    "timeUs",
  ),
  fault(
    "a replay ends with the first packet of another link",
    {
      file: "drivers/pcap/replay_end.ts",
      test: "drivers/pcap/driver_test.ts",
      filter: "another link",
    },
    "if (this.#next.linkType !== LINK_ETHERNET) this.#otherLink++;",
    "if (this.#next.linkType !== LINK_ETHERNET) return void (this.#next = undefined);",
  ),
  fault(
    "a block is given back before its last packet was taken",
    BLOCKS,
    "    this.#left--;\n    if (this.#left > 0)",
    "    this.#left--;\n    if (this.#left > 1)",
  ),
  fault(
    "a tag that the kernel took out stays out",
    BLOCKS,
    "    if (tagBytes > 0) this.#putTag(offset);\n",
    "",
  ),
  fault(
    "a tag of a provider becomes a customer's",
    BLOCKS,
    "? words[header + VLAN_TPID]! & 0xffff",
    "? VLAN_TYPE",
  ),
  fault(
    "a ring is filled beyond what its reader has taken",
    XDP_RING,
    "return this.capacity - this.pending;",
    "return this.capacity;",
  ),
  fault(
    "a frame of another NIC is put into a fill ring",
    XDP_RING,
    "if (!(frame >= 0 && frame < frameCount))",
    "if (!(frame >= 0))",
  ),
  fault(
    "queues that have most get as much as the others",
    {
      file: "drivers/xdp/distribute.ts",
      test: "drivers/xdp/distribute_test.ts",
    },
    "Math.max(0, level - held[queue]!)",
    "level",
  ),
  fault(
    "a switch forgets no port that was unplugged",
    {
      file: "drivers/emulated/switch.ts",
      test: "drivers/emulated/switch_test.ts",
    },
    "    this.#table.forget(end);\n",
    "",
  ),
  fault(
    "a switch learns from groups",
    {
      file: "drivers/emulated/switch.ts",
      test: "drivers/emulated/switch_test.ts",
    },
    "if ((frame[6]! & 1) === 0) {",
    "{",
  ),
  fault(
    "a TAP's packets of IPv6 are all one flow",
    {
      file: "drivers/tap/steering.ts",
      test: "drivers/tap/steering_test.ts",
      filter: "are steered by their flow",
    },
    'kind === "tap" ? 0x86dd : 6',
    'kind === "tap" ? 0x86de : 6',
  ),
  fault(
    "an IPv6 flow is what its source alone sends",
    {
      file: "drivers/tap/steering.ts",
      test: "drivers/tap/steering_test.ts",
      filter: "are steered by their flow",
    },
    "Array.from({ length: 8 }, (_, i) => ip + 8 + 4 * i)",
    "Array.from({ length: 4 }, (_, i) => ip + 8 + 4 * i)",
  ),
  fault(
    "a wait that was woken before its turn waits on",
    {
      file: "drivers/sys/poll_set.ts",
      test: "drivers/sys/poll_set_test.ts",
      filter: "woken before its turn",
    },
    "      if (this.#wakes !== wakes) return;\n",
    "",
  ),
  fault(
    "addresses of a switch do not age",
    {
      file: "drivers/emulated/mac_table.ts",
      test: "drivers/emulated/switch_test.ts",
    },
    "if (nowMs - entry.heardMs < this.#ageMs) return entry.port;",
    "return entry.port;",
  ),
  fault(
    "a driver in front of another one keeps the MTU of the start",
    {
      file: "drivers/middleware/forwarding.ts",
      test: "drivers/middleware/forwarding_test.ts",
    },
    "    this.info = Object.create(inner.info, {\n      mode: { value: mode, enumerable: true },\n    });\n",
    "    this.info = { ...inner.info, mode };\n",
  ),
  fault(
    "a buffer that came back can be written to still",
    {
      file: "drivers/kit/copied_pages.ts",
      test: "drivers/kit/copied_pages_test.ts",
    },
    "mine = transferOf(page);",
    "mine = page as ArrayBuffer;",
  ),
];
