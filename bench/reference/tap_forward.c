/*
 * Passes packets from one TAP to another and back, super-packets whole, their
 * virtio headers as they came: one read and one write each.
 *
 *   tap_forward NAME NAME
 *
 * Prints "ready"; then, for each line read, {"packets":N,"cpuUs":N}, with the
 * bytes passed on for packets; ends with its input.
 */
#include <poll.h>
#include "report.h"
#include "tap.h"

static char buffer[PACKET_BYTES_MAX];

/* All that waits at one goes out by the other; what that has no room for is lost. */
static void pass(int from, int to) {
  for (ssize_t length; (length = read(from, buffer, sizeof buffer)) > 0;) {
    if (write(to, buffer, (size_t)length) == length) packets += (uint64_t)length - HEADER_BYTES;
  }
}

int main(int count, char **arguments) {
  if (count != 3) {
    fputs("usage: tap_forward NAME NAME\n", stderr);
    return 2;
  }
  int left = open_tap(arguments[1]), right = open_tap(arguments[2]);
  puts("ready");
  fflush(stdout);
  struct pollfd waits[] = { { .fd = left, .events = POLLIN },
                            { .fd = right, .events = POLLIN },
                            { .fd = 0, .events = POLLIN } };
  for (;;) {
    if (poll(waits, 3, -1) < 0) fail("poll");
    if (waits[0].revents != 0) pass(left, right);
    if (waits[1].revents != 0) pass(right, left);
    if (waits[2].revents != 0 && !answer()) break;
  }
  return 0;
}
