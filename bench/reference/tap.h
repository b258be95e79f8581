/* A TAP as one would open it in C: virtio headers, and super-packets both ways. */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* struct virtio_net_hdr, as TUN's default is. */
enum { HEADER_BYTES = 10, PACKET_BYTES_MAX = HEADER_BYTES + 65535 + 18 };

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static int open_tap(const char *name) {
  int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) fail("/dev/net/tun");
  struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
  strncpy(request.ifr_name, name, IFNAMSIZ - 1);
  if (ioctl(fd, TUNSETIFF, &request) != 0) fail(name);
  if (ioctl(fd, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN) != 0) fail("TUNSETOFFLOAD");
  int any = socket(AF_INET, SOCK_DGRAM, 0);
  request.ifr_flags = IFF_UP;
  if (any < 0 || ioctl(any, SIOCSIFFLAGS, &request) != 0) fail("SIOCSIFFLAGS");
  close(any);
  return fd;
}
