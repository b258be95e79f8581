/*
 * Takes one TCP stream from a TAP, with the least of TCP that has a kernel send:
 * the same that bench/tap/tcp_sink.ts does, in the loop that reads the TAP. Looks
 * at each segment's headers, counts the bytes that come in order, and acknowledges
 * when nothing more waits. Answers ARP for its address.
 *
 *   tap_sink NAME ADDRESS PORT
 *
 * Prints "ready"; then, for each line read, {"packets":N,"cpuUs":N}, with the
 * bytes of the stream for packets; ends with its input.
 */
#include <arpa/inet.h>
#include <netinet/if_ether.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stddef.h>
#include "report.h"
#include "tap.h"

enum { WINDOW_SHIFT = 7, WINDOW_BYTES = 1 << 21, OPTIONS_BYTES = 8 };

/* The most packets before what came is acknowledged, as a worker takes in a turn. */
enum { BATCH = 64 };

struct frame {
  uint8_t virtio[HEADER_BYTES];
  struct ether_header ethernet;
  union {
    struct ether_arp arp;
    struct {
      struct iphdr ip;
      struct tcphdr tcp;
      uint8_t options[OPTIONS_BYTES];
    } segment;
    uint8_t rest[PACKET_BYTES_MAX - HEADER_BYTES - 14];
  } body;
};
_Static_assert(offsetof(struct frame, body) == HEADER_BYTES + 14, "a packet lies as it was read");

static const uint8_t OWN_MAC[6] = { 2, 0x53, 0x74, 0x61, 0x70, 2 };
static const uint8_t SYN_OPTIONS[OPTIONS_BYTES] = { 2, 4, 1460 >> 8, 1460 & 0xff, 1, 3, 3, WINDOW_SHIFT };

static struct frame frame, pattern;
static uint32_t own, next;
static uint16_t port;

static uint32_t sum(const void *at, size_t bytes, uint32_t initial) {
  const uint8_t *word = at;
  for (size_t i = 0; i + 1 < bytes; i += 2) initial += (uint32_t)word[i] << 8 | word[i + 1];
  return initial;
}

static uint16_t fold(uint32_t total) {
  total = (total >> 16) + (total & 0xffff);
  return htons((uint16_t)~((total >> 16) + total));
}

static void post(int tap, struct frame *out, size_t bytes) {
  memset(out->virtio, 0, HEADER_BYTES);
  memcpy(out->ethernet.ether_shost, OWN_MAC, 6);
  if (write(tap, out, HEADER_BYTES + sizeof out->ethernet + bytes) < 0) fail("write");
}

static void answer_arp(int tap) {
  struct ether_arp *arp = &frame.body.arp;
  if (ntohs(arp->ea_hdr.ar_op) != ARPOP_REQUEST || memcmp(arp->arp_tpa, &own, 4) != 0) return;
  arp->ea_hdr.ar_op = htons(ARPOP_REPLY);
  memcpy(arp->arp_tha, arp->arp_sha, 6);
  memcpy(arp->arp_tpa, arp->arp_spa, 4);
  memcpy(arp->arp_sha, OWN_MAC, 6);
  memcpy(arp->arp_spa, &own, 4);
  memcpy(frame.ethernet.ether_dhost, arp->arp_tha, 6);
  post(tap, &frame, sizeof *arp);
}

/* Sends what the pattern says, acknowledging what came so far. */
static void post_segment(int tap, size_t option_bytes, int is_first) {
  struct iphdr *ip = &pattern.body.segment.ip;
  struct tcphdr *tcp = &pattern.body.segment.tcp;
  size_t tcp_bytes = sizeof *tcp + option_bytes;
  ip->tot_len = htons((uint16_t)(sizeof *ip + tcp_bytes));
  ip->check = 0;
  ip->check = fold(sum(ip, sizeof *ip, 0));
  tcp->seq = htonl(is_first ? 1 : 2);
  tcp->syn = is_first != 0;
  tcp->doff = (uint16_t)(tcp_bytes / 4) & 15;
  tcp->ack_seq = htonl(next);
  tcp->check = 0;
  tcp->check = fold(sum(tcp, tcp_bytes, sum(&ip->saddr, 8, IPPROTO_TCP + (uint32_t)tcp_bytes)));
  post(tap, &pattern, sizeof *ip + tcp_bytes);
}

static void accept_stream(int tap) {
  const struct iphdr *from = &frame.body.segment.ip;
  const struct tcphdr *syn = &frame.body.segment.tcp;
  memset(&pattern, 0, sizeof pattern);
  memcpy(pattern.ethernet.ether_dhost, frame.ethernet.ether_shost, 6);
  pattern.ethernet.ether_type = htons(ETHERTYPE_IP);
  pattern.body.segment.ip = (struct iphdr){ .version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_TCP,
                                            .saddr = own, .daddr = from->saddr };
  pattern.body.segment.tcp = (struct tcphdr){ .source = syn->dest, .dest = syn->source, .ack = 1,
                                              .window = htons(WINDOW_BYTES >> WINDOW_SHIFT) };
  memcpy(pattern.body.segment.options, SYN_OPTIONS, OPTIONS_BYTES);
  next = ntohl(syn->seq) + 1;
  post_segment(tap, OPTIONS_BYTES, 1);
}

/* Whether there is something to acknowledge now. */
static int take_segment(int tap, size_t room) {
  const struct iphdr *ip = &frame.body.segment.ip;
  size_t ip_bytes = ntohs(ip->tot_len);
  if (room < sizeof *ip + sizeof(struct tcphdr) || ip_bytes > room || ip->ihl != 5 || ip->version != 4 ||
      ip->protocol != IPPROTO_TCP || ip->daddr != own || (ip->frag_off & htons(0x3fff)) != 0 ||
      fold(sum(ip, sizeof *ip, 0)) != 0) return 0;
  const struct tcphdr *tcp = &frame.body.segment.tcp;
  size_t header_bytes = sizeof *ip + tcp->doff * 4u;
  if (tcp->dest != htons(port) || header_bytes > ip_bytes || tcp->rst) return 0;
  if (tcp->syn) {
    accept_stream(tap);
    return 0;
  }
  uint32_t bytes = (uint32_t)(ip_bytes - header_bytes), known = next - ntohl(tcp->seq);
  if (bytes == 0 && !tcp->fin) return 0;
  if (known <= bytes) {
    packets += bytes - known;
    next += bytes - known + tcp->fin;
  }
  return 1;
}

static void take(int tap) {
  for (int more = 1; more;) {
    int due = 0;
    more = 0;
    for (int i = 0; i < BATCH; i++) {
      ssize_t length = read(tap, &frame, sizeof frame);
      if (length <= (ssize_t)(HEADER_BYTES + sizeof frame.ethernet)) break;
      more = 1;
      size_t room = (size_t)length - HEADER_BYTES - sizeof frame.ethernet;
      if (frame.ethernet.ether_type == htons(ETHERTYPE_IP)) due |= take_segment(tap, room);
      else if (frame.ethernet.ether_type == htons(ETHERTYPE_ARP) && room >= sizeof frame.body.arp) answer_arp(tap);
    }
    if (due) post_segment(tap, 0, 0);
  }
}

int main(int count, char **arguments) {
  if (count != 4) {
    fputs("usage: tap_sink NAME ADDRESS PORT\n", stderr);
    return 2;
  }
  own = inet_addr(arguments[2]);
  port = (uint16_t)atoi(arguments[3]);
  int tap = open_tap(arguments[1]);
  puts("ready");
  fflush(stdout);
  struct pollfd waits[] = { { .fd = tap, .events = POLLIN }, { .fd = 0, .events = POLLIN } };
  for (;;) {
    if (poll(waits, 2, -1) < 0) fail("poll");
    if (waits[0].revents != 0) take(tap);
    if (waits[1].revents != 0 && !answer()) break;
  }
  return 0;
}
