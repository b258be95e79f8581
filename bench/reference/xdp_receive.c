/*
 * An AF_XDP receiver as one would write it in C. Takes IPv4 UDP to one address and port, reads each packet's
 * tag from the 8 bytes before it, counts, and gives the frame back.
 *
 *   xdp_receive IFNAME ADDRESS PORT NAP_US
 *
 * Prints "ready"; then, for each line read, {"packets":N,"cpuUs":N}; ends with
 * its input. When the ring is empty it waits in poll(); unless NAP_US is 0 and
 * as long as packets keep coming, it sleeps so long instead, and then finds many.
 */
#include <poll.h>
#include "report.h"
#include "xdp_socket.h"

enum { BATCH = 64 };

/* So many packets since the last wait, and more are coming. */
enum { NAP_PACKETS_MIN = 16 };

static uint64_t untagged;

/* Counts at most BATCH packets and gives their frames back. */
static uint32_t take(uint8_t *memory, struct ring *fill, struct ring *receive) {
  uint32_t first = *receive->consumer;
  uint32_t count = __atomic_load_n(receive->producer, __ATOMIC_ACQUIRE) - first;
  if (count > BATCH) count = BATCH;
  if (count == 0) return 0;
  uint32_t free_place = *fill->producer;
  for (uint32_t i = 0; i < count; i++) {
    const struct xdp_desc *packet = (const struct xdp_desc *)receive->entries + ((first + i) & (RING - 1));
    uint64_t tag;
    memcpy(&tag, memory + packet->addr - 8, 8);
    if (tag == TAG) packets++;
    else untagged++;
    ((uint64_t *)fill->entries)[(free_place + i) & (RING - 1)] = packet->addr & ~(uint64_t)(FRAME_BYTES - 1);
  }
  __atomic_store_n(receive->consumer, first + count, __ATOMIC_RELEASE);
  __atomic_store_n(fill->producer, free_place + count, __ATOMIC_RELEASE);
  return count;
}

int main(int count, char **arguments) {
  if (count != 5) {
    fputs("usage: xdp_receive IFNAME ADDRESS PORT NAP_US\n", stderr);
    return 2;
  }
  struct xdp xdp = open_xdp(arguments[1], arguments[2], arguments[3]);
  puts("ready");
  fflush(stdout);
  struct pollfd waits[] = { { .fd = xdp.fd, .events = POLLIN }, { .fd = 0, .events = POLLIN } };
  useconds_t nap_us = (useconds_t)atoi(arguments[4]);
  for (;;) {
    uint32_t since_wait = 0;
    for (uint32_t taken; (taken = take(xdp.memory, &xdp.fill, &xdp.receive)) != 0;) since_wait += taken;
    if (nap_us != 0 && since_wait >= NAP_PACKETS_MIN) {
      usleep(nap_us);
      continue;
    }
    if (poll(waits, 2, -1) < 0) fail("poll");
    if (waits[1].revents != 0 && !answer()) break;
  }
  if (untagged != 0) fprintf(stderr, "xdp_receive: %llu packets without our tag\n", (unsigned long long)untagged);
  return untagged == 0 ? 0 : 1;
}
