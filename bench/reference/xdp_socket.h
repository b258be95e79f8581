/*
 * An AF_XDP socket as one would open it in C: its own XDP program, UMEM and
 * rings, no library. The program tags IPv4 UDP to one address and port in the 8
 * bytes before the packet, and redirects it here; the rest is the kernel's.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <linux/if_xdp.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { FRAMES = 4096, FRAME_BYTES = 4096, RING = 2048 };

static const uint64_t TAG = 0x0123456789abcdef;

struct ring {
  uint32_t *producer, *consumer, *flags;
  void *entries;
};

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static int bpf(int command, union bpf_attr *attr) {
  return (int)syscall(SYS_bpf, command, attr, sizeof *attr);
}

static int make_socket_map(void) {
  union bpf_attr attr = { .map_type = BPF_MAP_TYPE_XSKMAP,
                          .key_size = 4, .value_size = 4, .max_entries = 1 };
  int fd = bpf(BPF_MAP_CREATE, &attr);
  if (fd < 0) fail("map create");
  return fd;
}

#define INSN(c, d, s, o, i) \
  (struct bpf_insn){ .code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i) }
#define LOAD(size, d, s, o) INSN(BPF_LDX | (size) | BPF_MEM, d, s, o, 0)
#define MOVE(d, s) INSN(BPF_ALU64 | BPF_MOV | BPF_X, d, s, 0, 0)
#define SET(d, i) INSN(BPF_ALU64 | BPF_MOV | BPF_K, d, 0, 0, i)
#define ADD(d, i) INSN(BPF_ALU64 | BPF_ADD | BPF_K, d, 0, 0, i)
#define UNLESS(d, i, to) INSN(BPF_JMP32 | BPF_JNE | BPF_K, d, 0, (to), i)
#define BEYOND(d, s, to) INSN(BPF_JMP | BPF_JGT | BPF_X, d, s, (to), 0)
#define CALL(i) INSN(BPF_JMP | BPF_CALL, 0, 0, 0, i)
#define EXIT() INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

/* Whole datagrams without IP options: tag in front, then to the socket. */
static int load_program(int map, uint32_t address, uint16_t port) {
  struct bpf_insn code[] = {
    /*  0 */ MOVE(6, 1),
    /*  1 */ LOAD(BPF_W, 2, 1, 0),
    /*  2 */ LOAD(BPF_W, 3, 1, 4),
    /*  3 */ MOVE(4, 2),
    /*  4 */ ADD(4, 42),
    /*  5 */ BEYOND(4, 3, 28),
    /*  6 */ LOAD(BPF_H, 5, 2, 12),
    /*  7 */ UNLESS(5, htons(0x0800), 26),
    /*  8 */ LOAD(BPF_B, 5, 2, 14),
    /*  9 */ UNLESS(5, 0x45, 24),
    /* 10 */ LOAD(BPF_B, 5, 2, 23),
    /* 11 */ UNLESS(5, 17, 22),
    /* 12 */ LOAD(BPF_W, 5, 2, 30),
    /* 13 */ UNLESS(5, (int32_t)address, 20),
    /* 14 */ LOAD(BPF_H, 5, 2, 36),
    /* 15 */ UNLESS(5, htons(port), 18),
    /* 16 */ MOVE(1, 6),
    /* 17 */ SET(2, -8),
    /* 18 */ CALL(BPF_FUNC_xdp_adjust_meta),
    /* 19 */ UNLESS(0, 0, 16),
    /* 20 */ LOAD(BPF_W, 2, 6, 0),
    /* 21 */ LOAD(BPF_W, 3, 6, 8),
    /* 22 */ MOVE(4, 3),
    /* 23 */ ADD(4, 8),
    /* 24 */ BEYOND(4, 2, 11),
    /* 25 */ INSN(BPF_LD | BPF_DW | BPF_IMM, 5, 0, 0, (int32_t)TAG),
    /* 26 */ INSN(0, 0, 0, 0, (int32_t)(TAG >> 32)),
    /* 27 */ INSN(BPF_STX | BPF_DW | BPF_MEM, 3, 5, 0, 0),
    /* 28 */ INSN(BPF_LD | BPF_DW | BPF_IMM, 1, BPF_PSEUDO_MAP_FD, 0, map),
    /* 29 */ INSN(0, 0, 0, 0, 0),
    /* 30 */ LOAD(BPF_W, 2, 6, 16),
    /* 31 */ SET(3, XDP_DROP),
    /* 32 */ CALL(BPF_FUNC_redirect_map),
    /* 33 */ EXIT(),
    /* 34 */ SET(0, XDP_PASS),
    /* 35 */ EXIT(),
    /* 36 */ SET(0, XDP_DROP),
    /* 37 */ EXIT(),
  };
  char log[16384] = "";
  union bpf_attr attr = { .prog_type = BPF_PROG_TYPE_XDP,
                          .insns = (uintptr_t)code,
                          .insn_cnt = sizeof code / sizeof *code,
                          .license = (uintptr_t)"GPL",
                          .log_buf = (uintptr_t)log, .log_size = sizeof log, .log_level = 1 };
  int fd = bpf(BPF_PROG_LOAD, &attr);
  if (fd < 0) {
    fputs(log, stderr);
    fail("program load");
  }
  return fd;
}

/* A BPF link: it goes with this process, and leaves the interface as it was. */
static void attach(int program, unsigned interface) {
  uint32_t modes[] = { XDP_FLAGS_DRV_MODE, XDP_FLAGS_SKB_MODE };
  for (int i = 0; i < 2; i++) {
    union bpf_attr attr = { .link_create = { .prog_fd = (uint32_t)program,
                                             .target_ifindex = interface,
                                             .attach_type = BPF_XDP, .flags = modes[i] } };
    if (bpf(BPF_LINK_CREATE, &attr) >= 0) return;
  }
  fail("link create");
}

static struct ring map_ring(int fd, const struct xdp_ring_offset *at, size_t entry, off_t page) {
  uint8_t *base = mmap(NULL, at->desc + RING * entry, PROT_READ | PROT_WRITE,
                       MAP_SHARED | MAP_POPULATE, fd, page);
  if (base == MAP_FAILED) fail("mmap ring");
  return (struct ring){ (uint32_t *)(base + at->producer), (uint32_t *)(base + at->consumer),
                        (uint32_t *)(base + at->flags), base + at->desc };
}

/* The socket, its rings, and the memory that its frames lie in: the first RING are the kernel's. */
struct xdp {
  int fd;
  uint8_t *memory;
  struct ring fill, receive, transmit, completion;
};

static void set_ring(int fd, int option, const char *what) {
  int size = RING;
  if (setsockopt(fd, SOL_XDP, option, &size, sizeof size) != 0) fail(what);
}

static struct xdp open_socket(unsigned interface) {
  int fd = socket(AF_XDP, SOCK_RAW, 0);
  if (fd < 0) fail("socket AF_XDP");
  struct xdp it = { .fd = fd };
  it.memory = mmap(NULL, (size_t)FRAMES * FRAME_BYTES, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (it.memory == MAP_FAILED) fail("mmap UMEM");
  struct xdp_umem_reg umem = { .addr = (uintptr_t)it.memory, .len = (uint64_t)FRAMES * FRAME_BYTES,
                               .chunk_size = FRAME_BYTES };
  if (setsockopt(fd, SOL_XDP, XDP_UMEM_REG, &umem, sizeof umem) != 0) fail("UMEM");
  set_ring(fd, XDP_UMEM_FILL_RING, "fill ring");
  set_ring(fd, XDP_UMEM_COMPLETION_RING, "completion ring");
  set_ring(fd, XDP_RX_RING, "receive ring");
  set_ring(fd, XDP_TX_RING, "transmit ring");
  struct xdp_mmap_offsets at;
  socklen_t length = sizeof at;
  if (getsockopt(fd, SOL_XDP, XDP_MMAP_OFFSETS, &at, &length) != 0) fail("ring offsets");
  it.fill = map_ring(fd, &at.fr, sizeof(uint64_t), (off_t)XDP_UMEM_PGOFF_FILL_RING);
  it.completion = map_ring(fd, &at.cr, sizeof(uint64_t), (off_t)XDP_UMEM_PGOFF_COMPLETION_RING);
  it.receive = map_ring(fd, &at.rx, sizeof(struct xdp_desc), XDP_PGOFF_RX_RING);
  it.transmit = map_ring(fd, &at.tx, sizeof(struct xdp_desc), XDP_PGOFF_TX_RING);
  for (uint32_t i = 0; i < RING; i++) ((uint64_t *)it.fill.entries)[i] = (uint64_t)i * FRAME_BYTES;
  __atomic_store_n(it.fill.producer, RING, __ATOMIC_RELEASE);
  struct sockaddr_xdp name = { .sxdp_family = AF_XDP, .sxdp_flags = XDP_COPY,
                               .sxdp_ifindex = interface };
  /* The queue stays busy for a moment after its last user has gone. */
  for (int tries = 1; bind(fd, (struct sockaddr *)&name, sizeof name) != 0; tries++) {
    if (errno != EBUSY || tries == 50) fail("bind");
    usleep(10000);
  }
  return it;
}

/* A socket that gets what is for that address and port at the interface, with the program in place. */
static struct xdp open_xdp(const char *interface_name, const char *address, const char *port) {
  unsigned interface = if_nametoindex(interface_name);
  if (interface == 0) fail(interface_name);
  int map = make_socket_map();
  attach(load_program(map, inet_addr(address), (uint16_t)atoi(port)), interface);
  struct xdp it = open_socket(interface);
  uint32_t key = 0;
  union bpf_attr attr = { .map_fd = (uint32_t)map, .key = (uintptr_t)&key, .value = (uintptr_t)&it.fd };
  if (bpf(BPF_MAP_UPDATE_ELEM, &attr) != 0) fail("map update");
  return it;
}
