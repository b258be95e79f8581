/*
 * The filter texts of bench/classify/texts.ts as an engineer would write them by
 * hand, with what libpcap means by them: a port is looked for in IPv4 behind the
 * header where the fragment's offset is 0, in IPv6 at byte 40, and what is not
 * there does not match. Each fills a batch's slots with 1 or 0:
 *
 *   batch       +1024         +2048
 *   offset[256] | length[256] | slot[256] | ...      uint32_t each
 */
#include <stdint.h>
#include <string.h>

enum { BATCH_MAX = 256, IPV4 = 0x0800, IPV6 = 0x86dd, TCP = 6, UDP = 17, FRAGMENT = 44 };

static inline uint32_t load16(const uint8_t *at) {
  uint16_t value;
  memcpy(&value, at, 2);
  return __builtin_bswap16(value);
}

/* Where the ports of `protocol` are, behind an IP header at `at` that its type stands in front of; 0 if nowhere. */
static inline uint32_t ports_of(const uint8_t *frame, uint32_t length, uint32_t at, uint32_t protocol) {
  if (length < at + 20) return 0;
  uint32_t type = load16(frame + at - 2);
  if (type == IPV4) {
    if (frame[at + 9] != protocol || (load16(frame + at + 6) & 0x1fff) != 0) return 0;
    return at + (frame[at] & 15u) * 4;
  }
  return type == IPV6 && frame[at + 6] == protocol ? at + 40 : 0;
}

static inline uint32_t has_port(const uint8_t *frame, uint32_t length, uint32_t at, uint32_t port) {
  return length >= at + 2 && load16(frame + at) == port;
}

/* tcp dst port 443 and not src net 10.0.0.0/8 */
static inline uint32_t match_0(const uint8_t *frame, uint32_t length) {
  uint32_t ports = ports_of(frame, length, 14, TCP);
  if (ports == 0 || !has_port(frame, length, ports + 2, 443)) return 0;
  return load16(frame + 12) == IPV6 || frame[26] != 10;
}

/* udp port 53 */
static inline uint32_t match_1(const uint8_t *frame, uint32_t length) {
  uint32_t ports = ports_of(frame, length, 14, UDP);
  return ports != 0 && (has_port(frame, length, ports, 53) || has_port(frame, length, ports + 2, 53));
}

/* ip6 and tcp */
static inline uint32_t match_2(const uint8_t *frame, uint32_t length) {
  if (length < 21 || load16(frame + 12) != IPV6) return 0;
  if (frame[20] == TCP) return 1;
  return frame[20] == FRAGMENT && length > 54 && frame[54] == TCP;
}

/* vlan 100 and tcp dst port 443 */
static inline uint32_t match_3(const uint8_t *frame, uint32_t length) {
  if (length < 16) return 0;
  uint32_t type = load16(frame + 12);
  if (type != 0x8100 && type != 0x88a8 && type != 0x9100) return 0;
  if ((load16(frame + 14) & 0xfff) != 100) return 0;
  uint32_t ports = ports_of(frame, length, 18, TCP);
  return ports != 0 && has_port(frame, length, ports + 2, 443);
}

#define CLASSIFY(name, match)                                                \
  void name(uint8_t *memory, uint32_t batch, uint32_t count) {               \
    const uint32_t *offset = (const uint32_t *)(memory + batch);             \
    const uint32_t *length = offset + BATCH_MAX;                             \
    uint32_t *slot = (uint32_t *)(memory + batch) + 2 * BATCH_MAX;           \
    for (uint32_t i = 0; i < count; i++)                                     \
      slot[i] = match(memory + offset[i], length[i]);                        \
  }

CLASSIFY(text_0, match_0)
CLASSIFY(text_1, match_1)
CLASSIFY(text_2, match_2)
CLASSIFY(text_3, match_3)
