/**
 * `sender.ts IFNAME FRAMEHEX[,FRAMEHEX…]`: for each line "MS" it is sent, sends
 * these frames by turns, at most 256 of one size, for so many milliseconds as
 * fast as one packet socket takes them, and answers `{"sent":N}`. 256 frames a system call, past the queueing discipline: what is
 * left is the kernel's own cost a packet, so that C would send no faster.
 */

const AF_PACKET = 17;
const SOCK_RAW = 3;
const SOL_PACKET = 263;
/** linux/if_packet.h */
const PACKET_QDISC_BYPASS = 20;
const FRAMES_PER_CALL = 256;

const { symbols: libc } = Deno.dlopen("libc.so.6", {
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  bind: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  setsockopt: {
    parameters: ["i32", "i32", "i32", "buffer", "u32"],
    result: "i32",
  },
  if_nametoindex: { parameters: ["buffer"], result: "u32" },
  sendmmsg: { parameters: ["i32", "buffer", "u32", "i32"], result: "i32" },
});

function addressOf(bytes: Uint8Array<ArrayBuffer>): bigint {
  return Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes));
}

/** A packet socket bound to `interfaceName`, for sending only. */
function openPacketSocket(interfaceName: string): number {
  const index = libc.if_nametoindex(
    new TextEncoder().encode(`${interfaceName}\0`),
  );
  const socket = libc.socket(AF_PACKET, SOCK_RAW, 0);
  // struct sockaddr_ll: family, protocol (0: receives nothing), index, …
  const address = new DataView(new ArrayBuffer(20));
  address.setUint16(0, AF_PACKET, true);
  address.setInt32(4, index, true);
  if (
    index === 0 || socket < 0 ||
    libc.bind(socket, address.buffer, address.byteLength) !== 0
  ) {
    throw new Error(
      `sender: cannot open a packet socket on ${interfaceName}; it needs root`,
    );
  }
  const on = Int32Array.of(1).buffer;
  libc.setsockopt(socket, SOL_PACKET, PACKET_QDISC_BYPASS, on, 4);
  return socket;
}

/**
 * `struct mmsghdr[FRAMES_PER_CALL]`, naming `frames` by turns:
 *
 * ```
 * 0     8         16        24       32       40            48      56    64
 * ├name ┼ name len ┼ iovec* ─┼ iovecs ┼ control ┼ control len ┼ flags ┼ sent ┤
 * ```
 *
 * and after them a `struct iovec` for each frame: its address, its bytes.
 */
function messagesOf(
  frames: readonly Uint8Array<ArrayBuffer>[],
): Uint8Array<ArrayBuffer> {
  const iovecsAt = 64 * FRAMES_PER_CALL;
  const messages = new Uint8Array(iovecsAt + 16 * frames.length);
  const view = new DataView(messages.buffer);
  const base = addressOf(messages);
  for (const [i, frame] of frames.entries()) {
    view.setBigUint64(iovecsAt + 16 * i, addressOf(frame), true);
    view.setBigUint64(iovecsAt + 16 * i + 8, BigInt(frame.length), true);
  }
  for (let i = 0; i < FRAMES_PER_CALL; i++) {
    const iovec = base + BigInt(iovecsAt + 16 * (i % frames.length));
    view.setBigUint64(64 * i + 16, iovec, true);
    view.setBigUint64(64 * i + 24, 1n, true);
  }
  return messages;
}

const [interfaceName = "", framesHex = ""] = Deno.args;
const frames = framesHex.split(",").map((hex) => {
  // Away from the collected heap, where small arrays may move.
  const bytes = new Uint8Array(new ArrayBuffer(4096));
  return bytes.subarray(0, bytes.setFromHex(hex).written);
});
const messages = messagesOf(frames);
const socket = openPacketSocket(interfaceName);

function sendFor(durationMs: number): number {
  const end = performance.now() + durationMs;
  let sent = 0;
  while (performance.now() < end) {
    const taken = libc.sendmmsg(socket, messages, FRAMES_PER_CALL, 0);
    if (taken > 0) sent += taken;
  }
  return sent;
}

console.log("ready");
const decoder = new TextDecoder();
for await (const line of Deno.stdin.readable) {
  const sent = sendFor(Number(decoder.decode(line)));
  console.log(JSON.stringify({ sent }));
}
Deno.exit(0);
