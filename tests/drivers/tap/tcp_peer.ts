/**
 * A kernel's TCP sockets, for a namespace: sends so many bytes, or receives them
 * all. Writes how many there were, and a checksum of them.
 *
 *     deno run --allow-net tcp_peer.ts receive ADDRESS PORT
 *     deno run --allow-net tcp_peer.ts send ADDRESS PORT BYTES
 */

const CHUNK_BYTES = 1 << 18;

/** A checksum that no reordering, loss or change of bytes leaves as it was, fast: FNV-1a over words. */
export class Digest {
  #state = 0x811c9dc5;
  #bytes = 0;
  #rest = 0;

  add(chunk: Uint8Array): void {
    for (let i = 0; i < chunk.length; i++) {
      this.#rest = (this.#rest << 8 | chunk[i]!) >>> 0;
      if ((++this.#bytes & 3) !== 0) continue;
      this.#state = Math.imul(this.#state ^ this.#rest, 0x01000193) >>> 0;
    }
  }

  toString(): string {
    return JSON.stringify({ bytes: this.#bytes, digest: this.#state });
  }
}

async function receive(hostname: string, port: number): Promise<void> {
  using listener = Deno.listen({ hostname, port });
  console.error("listening");
  using connection = await listener.accept();
  const digest = new Digest();
  for await (const chunk of connection.readable) digest.add(chunk);
  console.log(digest.toString());
}

async function send(
  hostname: string,
  port: number,
  total: number,
): Promise<void> {
  using connection = await Deno.connect({ hostname, port });
  const digest = new Digest();
  const chunk = new Uint8Array(CHUNK_BYTES);
  let state = 1;
  for (let sent = 0; sent < total; sent += chunk.length) {
    for (let i = 0; i < chunk.length; i++) {
      state = Math.imul(state, 1664525) + 1013904223 >>> 0;
      chunk[i] = state >>> 24;
    }
    digest.add(chunk);
    for (let at = 0; at < chunk.length;) {
      at += await connection.write(chunk.subarray(at));
    }
  }
  console.log(digest.toString());
}

if (import.meta.main) {
  const [what, address, port, bytes] = Deno.args;
  if (what === "receive") await receive(address!, Number(port));
  else await send(address!, Number(port), Number(bytes));
}
