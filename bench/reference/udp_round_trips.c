/*
 * Measures round trips to a UDP echo, one datagram under way at a time.
 *
 *   udp_round_trips ADDRESS PORT PAYLOAD_BYTES
 *
 * Prints "ready"; then, for each line "COUNT", sends so many and answers with
 * what they took at the median and at two quantiles of the tail, in nanoseconds,
 * and how many did not come back within a second:
 *
 *   {"p50":N,"p99":N,"p999":N,"lost":N}
 *
 * The datagrams bear no checksum: an AF_XDP echo would have to complete it, and
 * this is not what is measured. Each answer is compared with what was sent.
 */
#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { PAYLOAD_MAX = 1472, COUNT_MAX = 1 << 20 };

static uint32_t spans_ns[COUNT_MAX];

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static uint64_t now_ns(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return (uint64_t)at.tv_sec * 1000000000u + (uint64_t)at.tv_nsec;
}

static int open_socket(const char *address, const char *port) {
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  if (fd < 0) fail("socket");
  struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)),
                            .sin_addr = { inet_addr(address) } };
  if (connect(fd, (struct sockaddr *)&to, sizeof to) != 0) fail("connect");
  int on = 1;
  if (setsockopt(fd, SOL_SOCKET, SO_NO_CHECK, &on, sizeof on) != 0) fail("SO_NO_CHECK");
  struct timeval patience = { .tv_sec = 1 };
  if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) != 0) fail("SO_RCVTIMEO");
  return fd;
}

/* Whether the datagram of that number came back; what comes late for another is passed over. */
static int round_trip(int fd, uint8_t *payload, size_t bytes, uint64_t number) {
  uint8_t got[PAYLOAD_MAX];
  memcpy(payload, &number, sizeof number);
  if (send(fd, payload, bytes, 0) != (ssize_t)bytes) fail("send");
  for (;;) {
    ssize_t length = recv(fd, got, sizeof got, 0);
    if (length < 0) return 0;
    if ((size_t)length == bytes && memcmp(got, payload, bytes) == 0) return 1;
    if ((size_t)length != bytes || memcmp(got, payload, sizeof number) == 0) {
      fputs("udp_round_trips: an answer that is not what was sent\n", stderr);
      exit(1);
    }
  }
}

static int by_span(const void *a, const void *b) {
  uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
  return left < right ? -1 : left > right;
}

static uint32_t quantile(uint32_t count, double share) {
  return spans_ns[(uint32_t)(share * (count - 1) + 0.5)];
}

int main(int count, char **arguments) {
  size_t bytes = count == 4 ? (size_t)atoi(arguments[3]) : 0;
  if (bytes < sizeof(uint64_t) || bytes > PAYLOAD_MAX) {
    fputs("usage: udp_round_trips ADDRESS PORT PAYLOAD_BYTES (8 to 1472)\n", stderr);
    return 2;
  }
  int fd = open_socket(arguments[1], arguments[2]);
  uint8_t payload[PAYLOAD_MAX];
  for (size_t i = 0; i < bytes; i++) payload[i] = (uint8_t)i;
  uint64_t number = 0;
  puts("ready");
  fflush(stdout);
  for (char line[64]; fgets(line, sizeof line, stdin) != NULL;) {
    uint32_t wanted = (uint32_t)atoi(line), back = 0;
    if (wanted == 0 || wanted > COUNT_MAX) return 2;
    for (uint32_t i = 0; i < wanted; i++) {
      uint64_t start_ns = now_ns();
      if (round_trip(fd, payload, bytes, ++number)) spans_ns[back++] = (uint32_t)(now_ns() - start_ns);
    }
    if (back == 0) {
      fputs("udp_round_trips: nothing came back\n", stderr);
      return 1;
    }
    qsort(spans_ns, back, sizeof *spans_ns, by_span);
    printf("{\"p50\":%u,\"p99\":%u,\"p999\":%u,\"lost\":%u}\n", quantile(back, 0.5),
           quantile(back, 0.99), quantile(back, 0.999), wanted - back);
    fflush(stdout);
  }
  return 0;
}
