/*
 * Classification as an engineer would write it by hand, for the filters of
 * bench/classify/flow_cases.ts: UDP to 10.77.0.2 at a port of ours, and exact TCP
 * flows to 10.77.0.2. Reads and fills the same batch as a compiled classifier:
 *
 *   batch       +1024         +2048
 *   offset[256] | length[256] | slot[256] | ...      uint32_t each
 *
 * Ten: a switch and a chain, constants in the code. More: a table indexed by the
 * port, a hash table of flows.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH_MAX = 256, TCP = 6, UDP = 17 };

#define ADDRESS(a, b, c, d) \
  ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (uint32_t)(d))

static const uint32_t OURS = ADDRESS(10, 77, 0, 2);

static inline uint16_t load16(const uint8_t *at) {
  uint16_t value;
  memcpy(&value, at, 2);
  return __builtin_bswap16(value);
}

static inline uint32_t load32(const uint8_t *at) {
  uint32_t value;
  memcpy(&value, at, 4);
  return __builtin_bswap32(value);
}

/* A whole IPv4 datagram to OURS: the transport header's offset, or 0. */
static inline uint32_t transport(const uint8_t *frame, uint32_t length) {
  if (length < 34 || load16(frame + 12) != 0x0800) return 0;
  uint32_t header = (frame[14] & 15u) * 4;
  if (frame[14] >> 4 != 4 || header < 20 || 14 + header > length) return 0;
  if ((load16(frame + 20) & 0x3fff) != 0) return 0;
  if (load32(frame + 30) != OURS) return 0;
  return 14 + header;
}

static inline uint32_t slot_10(const uint8_t *frame, uint32_t length) {
  uint32_t at = transport(frame, length);
  if (at == 0 || at + 4 > length) return 0;
  uint32_t ports = load32(frame + at);
  if (frame[23] == UDP) {
    switch (ports & 0xffff) {
      case 1000: return 1;
      case 1007: return 3;
      case 1014: return 5;
      case 1021: return 7;
      case 1028: return 9;
      default: return 0;
    }
  }
  if (frame[23] != TCP) return 0;
  uint64_t flow = (uint64_t)load32(frame + 26) << 32 | ports;
  if (flow == ((uint64_t)ADDRESS(10, 78, 0, 1) << 32 | 40001u << 16 | 443)) return 2;
  if (flow == ((uint64_t)ADDRESS(10, 78, 0, 3) << 32 | 40003u << 16 | 443)) return 4;
  if (flow == ((uint64_t)ADDRESS(10, 78, 0, 5) << 32 | 40005u << 16 | 443)) return 6;
  if (flow == ((uint64_t)ADDRESS(10, 78, 0, 7) << 32 | 40007u << 16 | 443)) return 8;
  if (flow == ((uint64_t)ADDRESS(10, 78, 0, 9) << 32 | 40009u << 16 | 443)) return 10;
  return 0;
}

/* Slots by port, and flows by open addressing: key 0 is an empty place. */
struct flow {
  uint64_t key;
  uint32_t slot;
};
struct tables {
  uint32_t slot_of_port[65536];
  uint32_t shift;
  struct flow flows[];
};

static inline uint32_t place_of(const struct tables *tables, uint64_t key) {
  return (uint32_t)((key * 0x9e3779b97f4a7c15u) >> tables->shift);
}

static inline uint32_t mask_of(const struct tables *tables) {
  return (uint32_t)(((uint64_t)1 << (64 - tables->shift)) - 1);
}

/* Empty tables with 2^bits places for flows; NULL when there is no memory. */
struct tables *tables_make(uint32_t bits) {
  struct tables *tables = calloc(1, sizeof *tables + (sizeof *tables->flows << bits));
  if (tables != NULL) tables->shift = 64 - bits;
  return tables;
}

void tables_add_port(struct tables *tables, uint32_t port, uint32_t slot) {
  tables->slot_of_port[port & 0xffff] = slot;
}

void tables_add_flow(struct tables *tables, uint32_t source, uint32_t ports, uint32_t slot) {
  uint64_t key = (uint64_t)source << 32 | ports;
  uint32_t place = place_of(tables, key);
  while (tables->flows[place].key != 0) place = (place + 1) & mask_of(tables);
  tables->flows[place] = (struct flow){ key, slot };
}

static inline uint32_t slot_many(const struct tables *tables, const uint8_t *frame, uint32_t length) {
  uint32_t at = transport(frame, length);
  if (at == 0 || at + 4 > length) return 0;
  uint32_t ports = load32(frame + at);
  if (frame[23] == UDP) return tables->slot_of_port[ports & 0xffff];
  if (frame[23] != TCP) return 0;
  uint64_t key = (uint64_t)load32(frame + 26) << 32 | ports;
  for (uint32_t place = place_of(tables, key);; place = (place + 1) & mask_of(tables)) {
    if (tables->flows[place].key == key) return tables->flows[place].slot;
    if (tables->flows[place].key == 0) return 0;
  }
}

void classify_10(uint8_t *memory, uint32_t batch, uint32_t count) {
  const uint32_t *offset = (const uint32_t *)(memory + batch);
  const uint32_t *length = offset + BATCH_MAX;
  uint32_t *slot = (uint32_t *)(memory + batch) + 2 * BATCH_MAX;
  for (uint32_t i = 0; i < count; i++) slot[i] = slot_10(memory + offset[i], length[i]);
}

void classify_many(const struct tables *tables, uint8_t *memory, uint32_t batch, uint32_t count) {
  const uint32_t *offset = (const uint32_t *)(memory + batch);
  const uint32_t *length = offset + BATCH_MAX;
  uint32_t *slot = (uint32_t *)(memory + batch) + 2 * BATCH_MAX;
  for (uint32_t i = 0; i < count; i++) slot[i] = slot_many(tables, memory + offset[i], length[i]);
}
