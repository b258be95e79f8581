/*
 * An AF_XDP echo as one would write it in C: takes IPv4 UDP to one address and
 * port, lets the addresses and ports change places, and sends each packet back
 * in the frame that it came in. The sums over what changed places stay right.
 *
 *   xdp_echo IFNAME ADDRESS PORT
 *
 * Prints "ready"; then, for each line read, {"packets":N,"cpuUs":N}; ends with
 * its input. When the ring is empty it waits in poll().
 */
#include <poll.h>
#include "report.h"
#include "xdp_socket.h"

enum { ETHERNET = 0, IPV4_SOURCE = 26, UDP_PORTS = 34 };

static void swap(uint8_t *at, size_t bytes) {
  uint8_t kept[6];
  memcpy(kept, at, bytes);
  memcpy(at, at + bytes, bytes);
  memcpy(at + bytes, kept, bytes);
}

static void turn(uint8_t *packet) {
  swap(packet + ETHERNET, 6);
  swap(packet + IPV4_SOURCE, 4);
  swap(packet + UDP_PORTS, 2);
}

/* Frames that were sent go back to where packets come in. */
static void reclaim(struct xdp *xdp) {
  uint32_t first = *xdp->completion.consumer;
  uint32_t count = __atomic_load_n(xdp->completion.producer, __ATOMIC_ACQUIRE) - first;
  uint32_t place = *xdp->fill.producer;
  for (uint32_t i = 0; i < count; i++) {
    uint64_t frame = ((uint64_t *)xdp->completion.entries)[(first + i) & (RING - 1)];
    ((uint64_t *)xdp->fill.entries)[(place + i) & (RING - 1)] = frame & ~(uint64_t)(FRAME_BYTES - 1);
  }
  __atomic_store_n(xdp->completion.consumer, first + count, __ATOMIC_RELEASE);
  __atomic_store_n(xdp->fill.producer, place + count, __ATOMIC_RELEASE);
}

/* Sends back all that came. As many frames as a ring has places are under way, so there is room. */
static uint32_t echo(struct xdp *xdp) {
  uint32_t first = *xdp->receive.consumer;
  uint32_t count = __atomic_load_n(xdp->receive.producer, __ATOMIC_ACQUIRE) - first;
  if (count == 0) return 0;
  uint32_t place = *xdp->transmit.producer;
  for (uint32_t i = 0; i < count; i++) {
    const struct xdp_desc *packet = (const struct xdp_desc *)xdp->receive.entries + ((first + i) & (RING - 1));
    turn(xdp->memory + packet->addr);
    ((struct xdp_desc *)xdp->transmit.entries)[(place + i) & (RING - 1)] = *packet;
  }
  __atomic_store_n(xdp->receive.consumer, first + count, __ATOMIC_RELEASE);
  __atomic_store_n(xdp->transmit.producer, place + count, __ATOMIC_RELEASE);
  if (sendto(xdp->fd, NULL, 0, MSG_DONTWAIT, NULL, 0) < 0 && errno != EAGAIN && errno != EBUSY) fail("sendto");
  packets += count;
  return count;
}

int main(int count, char **arguments) {
  if (count != 4) {
    fputs("usage: xdp_echo IFNAME ADDRESS PORT\n", stderr);
    return 2;
  }
  struct xdp xdp = open_xdp(arguments[1], arguments[2], arguments[3]);
  puts("ready");
  fflush(stdout);
  struct pollfd waits[] = { { .fd = xdp.fd, .events = POLLIN }, { .fd = 0, .events = POLLIN } };
  for (;;) {
    while (echo(&xdp) != 0) reclaim(&xdp);
    if (poll(waits, 2, -1) < 0) fail("poll");
    if (waits[1].revents != 0 && !answer()) break;
  }
  return 0;
}
