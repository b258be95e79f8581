/** What both ends know, and the keys made of it: HKDF-SHA-256, RFC 5869. */

import { type Bytes, HMAC_BYTES } from "./datagram.ts";

/** The fewest bytes that a key file may have: as many as an AES-256 key. */
export const SECRET_BYTES_MIN = 32;

const utf8 = new TextEncoder();
const FOR_HANDSHAKES = utf8.encode("sallyport udp tunnel 1: handshakes");
const FOR_FRAMES = utf8.encode("sallyport udp tunnel 1: frames");

/** A link's shared secret. */
export class Secret {
  readonly #master: CryptoKey;
  readonly #handshakes: CryptoKey;

  private constructor(master: CryptoKey, handshakes: CryptoKey) {
    this.#master = master;
    this.#handshakes = handshakes;
  }

  /** Of these bytes. @throws {RangeError} when they are too few. */
  static async of(bytes: Bytes): Promise<Secret> {
    if (bytes.length < SECRET_BYTES_MIN) {
      throw new RangeError(
        `udp: a key of ${bytes.length} bytes; it must have at least ${SECRET_BYTES_MIN}`,
      );
    }
    const master = await crypto.subtle.importKey("raw", bytes, "HKDF", false, [
      "deriveKey",
    ]);
    const handshakes = await crypto.subtle.deriveKey(
      {
        name: "HKDF",
        hash: "SHA-256",
        salt: new Uint8Array(0),
        info: FOR_HANDSHAKES,
      },
      master,
      { name: "HMAC", hash: "SHA-256", length: 256 },
      false,
      ["sign", "verify"],
    );
    return new Secret(master, handshakes);
  }

  /** `datagram` with its MAC behind it. */
  async sign(datagram: Bytes): Promise<Bytes> {
    const mac = await crypto.subtle.sign("HMAC", this.#handshakes, datagram);
    const signed = new Uint8Array(datagram.length + HMAC_BYTES);
    signed.set(datagram);
    signed.set(new Uint8Array(mac), datagram.length);
    return signed;
  }

  /** Whether the MAC at the end of `signed` is that of what stands before it. */
  async verify(signed: Bytes): Promise<boolean> {
    const split = signed.length - HMAC_BYTES;
    return await crypto.subtle.verify(
      "HMAC",
      this.#handshakes,
      signed.subarray(split),
      signed.subarray(0, split),
    );
  }

  /** The key of the frames of one session, under one challenge. */
  async frameKey(session: Bytes, challenge: Bytes): Promise<CryptoKey> {
    const salt = new Uint8Array(session.length + challenge.length);
    salt.set(session);
    salt.set(challenge, session.length);
    return await crypto.subtle.deriveKey(
      { name: "HKDF", hash: "SHA-256", salt, info: FOR_FRAMES },
      this.#master,
      { name: "AES-GCM", length: 256 },
      false,
      ["encrypt", "decrypt"],
    );
  }
}

/**
 * AES-GCM's parameters for a session's frame `sequence`. The key is the
 * session's alone and a session never repeats a sequence, so that no nonce
 * comes twice under one key (NIST SP 800-38D, section 8).
 */
export function gcm(sequence: number, header: Bytes): AesGcmParams {
  const iv = new Uint8Array(12);
  new DataView(iv.buffer).setUint32(8, sequence);
  return { name: "AES-GCM", iv, additionalData: header };
}
