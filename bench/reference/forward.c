/*
 * The reference of `forward`: the same loop over the same rings and the same
 * packet memory, in C: receive a batch, keep IPv4 UDP to one port, write both
 * Ethernet addresses, transmit; what was sent receives again.
 */

#include <stdint.h>
#include <string.h>
#include <time.h>

/* bench/forward/ring_nic.ts says where everything lies. */
#define RING_ENTRIES 512u
#define MASK (RING_ENTRIES - 1)
#define LINE_WORDS 16
#define RING_WORDS (3 * LINE_WORDS + 4 * RING_ENTRIES)
#define BATCH_MAX 256u
#define PAGE_MASK (~4095u)

struct ring {
  uint32_t *producer, *consumer, *entries;
};

static struct ring ring_at(uint32_t *nic, int index) {
  uint32_t *at = nic + index * RING_WORDS;
  struct ring ring = {at, at + LINE_WORDS, at + 3 * LINE_WORDS};
  return ring;
}

static uint32_t pending(const struct ring *ring) {
  return __atomic_load_n(ring->producer, __ATOMIC_ACQUIRE) -
         __atomic_load_n(ring->consumer, __ATOMIC_ACQUIRE);
}

static void advance(uint32_t *index, uint32_t count) {
  __atomic_store_n(index, *index + count, __ATOMIC_RELEASE);
}

static int wanted(const uint8_t *frame, uint32_t length, uint16_t port) {
  uint16_t type, fragment, destination;
  uint32_t header;
  if (length < 34) return 0;
  memcpy(&type, frame + 12, 2);
  if (type != __builtin_bswap16(0x0800) || frame[14] >> 4 != 4) return 0;
  header = (frame[14] & 15u) * 4;
  if (header < 20 || frame[23] != 17) return 0;
  memcpy(&fragment, frame + 20, 2);
  if (fragment & __builtin_bswap16(0x3fff)) return 0;
  if (length < 14 + header + 8) return 0;
  memcpy(&destination, frame + 14 + header + 2, 2);
  return destination == port;
}

static void provide(struct ring *fill, uint32_t address) {
  fill->entries[(*fill->producer & MASK) * 2] = address & PAGE_MASK;
  fill->entries[(*fill->producer & MASK) * 2 + 1] = 0;
  advance(fill->producer, 1);
}

/*
 * Up to `batch_max` packets from `from` to `to`; `frames` is where the memory
 * of addresses 0 on is, `addresses` 12 bytes. Returns how many packets came.
 */
uint32_t forward(uint8_t *frames, uint32_t *from, uint32_t *to,
                 const uint8_t *addresses, uint32_t batch_max, uint32_t port) {
  struct ring receive = ring_at(from, 0), fill = ring_at(from, 2);
  struct ring transmit = ring_at(to, 1), completion = ring_at(to, 3);
  uint32_t starts[BATCH_MAX], lengths[BATCH_MAX];
  uint32_t sent = pending(&completion), room = RING_ENTRIES - pending(&fill);
  uint32_t count, kept = 0, n;
  uint16_t wire_port = __builtin_bswap16((uint16_t)port);

  if (sent > batch_max) sent = batch_max;
  if (sent > room) sent = room;
  for (n = 0; n < sent; n++) {
    uint32_t *to_entry = fill.entries + ((*fill.producer + n) & MASK) * 2;
    to_entry[0] =
        completion.entries[((*completion.consumer + n) & MASK) * 2] & PAGE_MASK;
    to_entry[1] = 0;
  }
  advance(completion.consumer, sent);
  advance(fill.producer, sent);

  count = pending(&receive);
  if (count > batch_max) count = batch_max;
  for (n = 0; n < count; n++) {
    uint32_t *entry = receive.entries + ((*receive.consumer + n) & MASK) * 4;
    starts[n] = entry[0];
    lengths[n] = entry[2];
  }
  advance(receive.consumer, count);

  for (n = 0; n < count; n++) {
    uint8_t *frame = frames + starts[n];
    if (!wanted(frame, lengths[n], wire_port)) {
      provide(&fill, starts[n]);
      continue;
    }
    memcpy(frame, addresses, 12);
    starts[kept] = starts[n];
    lengths[kept++] = lengths[n];
  }

  room = RING_ENTRIES - pending(&transmit);
  for (n = 0; n < kept; n++) {
    uint32_t *entry = transmit.entries + ((*transmit.producer + n) & MASK) * 4;
    if (n >= room) {
      provide(&fill, starts[n]);
      continue;
    }
    entry[0] = starts[n];
    entry[1] = 0;
    entry[2] = lengths[n];
    entry[3] = 0;
  }
  advance(transmit.producer, kept < room ? kept : room);
  return count;
}

/*
 * Cycles in a nanosecond, now: additions that depend on each other take a cycle
 * each on every x86-64 and arm64 core. Unlike the time stamp counter that is the
 * clock which the core really has.
 */
double cycles_per_ns(void) {
  struct timespec start, end;
  uint64_t sum = 1;
  const uint64_t rounds = 2000000;
  clock_gettime(CLOCK_MONOTONIC, &start);
  for (uint64_t i = 0; i < rounds; i++) {
#define ADD __asm__ volatile("add %1, %0" : "+r"(sum) : "r"(i));
#if defined(__aarch64__)
#undef ADD
#define ADD __asm__ volatile("add %0, %0, %1" : "+r"(sum) : "r"(i));
#endif
    ADD ADD ADD ADD ADD ADD ADD ADD ADD ADD
  }
  clock_gettime(CLOCK_MONOTONIC, &end);
  return 10.0 * rounds /
         ((end.tv_sec - start.tv_sec) * 1e9 + (end.tv_nsec - start.tv_nsec));
}
