/*
 * One TCP stream through the kernel.
 *
 *   tcp_stream send ADDRESS PORT
 *   tcp_stream receive PORT
 *   tcp_stream fetch ADDRESS PORT
 *   tcp_stream serve PORT
 *
 * The sender connects, prints "ready", and for each line "MS" sends for so long,
 * waits until all of it was acknowledged, and answers {"bytes":N,"us":N}. The
 * receiver prints "ready" when it listens, reads what comes, and for each line
 * answers {"packets":N,"cpuUs":N}, with the bytes read for packets.
 *
 * Or the stream's sender is the one that listens: "fetch" connects, prints
 * "ready", and for each line "MS" reads for so long and answers
 * {"bytes":N,"us":N}; "serve" sends all that is taken, and answers each line as a
 * receiver does, with the bytes sent. All end with their input.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include "report.h"

enum { CHUNK_BYTES = 1 << 17, CONNECT_TRIES = 100, DRAIN_MS_MAX = 5000 };

static char chunk[CHUNK_BYTES];

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static uint64_t now_us(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return (uint64_t)at.tv_sec * 1000000u + (uint64_t)at.tv_nsec / 1000u;
}

static struct sockaddr_in address_of(const char *address, const char *port) {
  return (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)),
                               .sin_addr = { inet_addr(address) } };
}

static int open_socket(void) {
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (fd < 0) fail("socket");
  return fd;
}

static int connect_to(const char *address, const char *port) {
  struct sockaddr_in to = address_of(address, port);
  for (int tries = 1;; tries++) {
    int fd = open_socket();
    if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0) return fd;
    if (tries == CONNECT_TRIES) fail("connect");
    close(fd);
    usleep(50000);
  }
}

static uint64_t send_for(int fd, uint64_t duration_us) {
  uint64_t bytes = 0, end_us = now_us() + duration_us;
  while (now_us() < end_us) {
    ssize_t sent = send(fd, chunk, sizeof chunk, MSG_NOSIGNAL);
    if (sent < 0) fail("send");
    bytes += (uint64_t)sent;
  }
  uint64_t limit_us = now_us() + DRAIN_MS_MAX * 1000u;
  for (int left = 1; left != 0;) {
    if (ioctl(fd, SIOCOUTQ, &left) != 0) fail("SIOCOUTQ");
    if (now_us() > limit_us) {
      fputs("tcp_stream: what was sent is not acknowledged\n", stderr);
      exit(1);
    }
    if (left != 0) usleep(20);
  }
  return bytes;
}

static int run_sender(const char *address, const char *port) {
  int fd = connect_to(address, port);
  puts("ready");
  fflush(stdout);
  for (char line[64]; fgets(line, sizeof line, stdin) != NULL;) {
    uint64_t start_us = now_us();
    uint64_t bytes = send_for(fd, (uint64_t)atoi(line) * 1000u);
    printf("{\"bytes\":%llu,\"us\":%llu}\n", (unsigned long long)bytes,
           (unsigned long long)(now_us() - start_us));
    fflush(stdout);
  }
  return 0;
}

static int run_fetcher(const char *address, const char *port) {
  int fd = connect_to(address, port);
  puts("ready");
  fflush(stdout);
  for (char line[64]; fgets(line, sizeof line, stdin) != NULL;) {
    uint64_t start_us = now_us(), bytes = 0, end_us = start_us + (uint64_t)atoi(line) * 1000u;
    while (now_us() < end_us) {
      ssize_t got = read(fd, chunk, sizeof chunk);
      if (got <= 0) fail("read");
      bytes += (uint64_t)got;
    }
    printf("{\"bytes\":%llu,\"us\":%llu}\n", (unsigned long long)bytes,
           (unsigned long long)(now_us() - start_us));
    fflush(stdout);
  }
  return 0;
}

/* Listens, and has `pass` do what a stream needs whenever it waits for that; answers lines. */
static int run_listener(const char *port, short events, ssize_t (*pass)(int)) {
  int listener = open_socket(), on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  struct sockaddr_in at = address_of("0.0.0.0", port);
  if (bind(listener, (struct sockaddr *)&at, sizeof at) != 0 || listen(listener, 1) != 0) fail("listen");
  puts("ready");
  fflush(stdout);
  struct pollfd waits[] = { { .fd = listener, .events = POLLIN }, { .fd = 0, .events = POLLIN } };
  for (int connected = 0;;) {
    if (poll(waits, 2, -1) < 0) fail("poll");
    if (waits[1].revents != 0 && !answer()) return 0;
    if (waits[0].revents == 0) continue;
    if (!connected) {
      waits[0].fd = accept(listener, NULL, NULL);
      if (waits[0].fd < 0) fail("accept");
      waits[0].events = events;
      connected = 1;
      continue;
    }
    ssize_t passed = pass(waits[0].fd);
    if (passed <= 0) waits[0].fd = -1; /* It is over; poll passes over it. */
    else packets += (uint64_t)passed;
  }
}

static ssize_t take(int fd) { return read(fd, chunk, sizeof chunk); }

static ssize_t give(int fd) { return send(fd, chunk, sizeof chunk, MSG_NOSIGNAL | MSG_DONTWAIT); }

int main(int count, char **arguments) {
  const char *what = count > 1 ? arguments[1] : "";
  if (count == 4 && strcmp(what, "send") == 0) return run_sender(arguments[2], arguments[3]);
  if (count == 4 && strcmp(what, "fetch") == 0) return run_fetcher(arguments[2], arguments[3]);
  if (count == 3 && strcmp(what, "receive") == 0) return run_listener(arguments[2], POLLIN, take);
  if (count == 3 && strcmp(what, "serve") == 0) return run_listener(arguments[2], POLLOUT, give);
  fputs("usage: tcp_stream send|fetch ADDRESS PORT | tcp_stream receive|serve PORT\n", stderr);
  return 2;
}
