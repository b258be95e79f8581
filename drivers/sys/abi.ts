/**
 * The Linux kernel's user interface as numbers: constants, and where fields lie
 * in its structures. Each group names the header that it is from
 * (include/uapi/ of the kernel's source unless another is said). All of it is
 * the same on x86-64 and arm64 except the system call numbers.
 */

/** System calls that the C library has no function for. arch/x86/entry/syscalls/syscall_64.tbl, asm-generic/unistd.h */
export const SYSTEM_CALLS: Readonly<
  Record<typeof Deno.build.arch, { readonly bpf: number }>
> = {
  x86_64: { bpf: 321 },
  aarch64: { bpf: 280 },
};

/** Error numbers. asm-generic/errno-base.h, asm-generic/errno.h */
export const Errno = {
  EPERM: 1,
  ENOENT: 2,
  EINTR: 4,
  ENXIO: 6,
  E2BIG: 7,
  ENOEXEC: 8,
  EBADF: 9,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  EFAULT: 14,
  EBUSY: 16,
  EEXIST: 17,
  ENODEV: 19,
  ENOTDIR: 20,
  EINVAL: 22,
  EMFILE: 24,
  ENOSPC: 28,
  EPIPE: 32,
  ERANGE: 34,
  ENOSYS: 38,
  ENOPROTOOPT: 92,
  EPROTONOSUPPORT: 93,
  EOPNOTSUPP: 95,
  EAFNOSUPPORT: 97,
  ENETDOWN: 100,
  ENOBUFS: 105,
  ENOTSUPP: 524,
} as const;

/** Sockets. linux/socket.h, linux/net.h, asm-generic/socket.h */
export const AF_INET = 2;
/** linux/socket.h */
export const AF_NETLINK = 16;
/** linux/socket.h */
export const AF_PACKET = 17;
/** linux/socket.h */
export const AF_XDP = 44;
/** linux/net.h */
export const SOCK_DGRAM = 2;
/** linux/net.h */
export const SOCK_RAW = 3;
/** linux/net.h */
export const SOCK_NONBLOCK = 0o4000;
/** linux/net.h */
export const SOCK_CLOEXEC = 0o2000000;
/** linux/socket.h */
export const MSG_DONTWAIT = 0x40;
/** asm-generic/socket.h */
export const SOL_SOCKET = 1;
/** asm-generic/socket.h: the error that waits, taken. */
export const SO_ERROR = 4;
/** asm-generic/socket.h: `struct sock_fprog { u16 len; struct sock_filter *filter }` (linux/filter.h). */
export const SO_ATTACH_FILTER = 26;
/** linux/filter.h */
export const SOCK_FPROG_BYTES = 16;
/** asm-generic/socket.h: beyond the system's limit, with CAP_NET_ADMIN. */
export const SO_SNDBUFFORCE = 32;
/** linux/socket.h (the kernel's own): `struct mmsghdr` is a `struct msghdr` of 56 bytes, then what was sent of it. */
export const MMSGHDR_BYTES = 64;
/** linux/socket.h: offsets in `struct msghdr` of the pointer to `struct iovec`s, and of how many they are. */
export const MSGHDR_IOV = 16;
/** linux/socket.h */
export const MSGHDR_IOVLEN = 24;
/** linux/uio.h: `struct iovec { void *base; size_t len }`. */
export const IOVEC_BYTES = 16;
/** linux/socket.h */
export const SOL_PACKET = 263;
/** asm-generic/socket.h: microseconds that a call may poll the device. */
export const SO_BUSY_POLL = 46;
/** asm-generic/socket.h, Linux 5.11: the device is polled by calls first, by interrupts later. */
export const SO_PREFER_BUSY_POLL = 69;
/** asm-generic/socket.h, Linux 5.11: packets a poll. */
export const SO_BUSY_POLL_BUDGET = 70;
/** linux/socket.h */
export const SOL_XDP = 283;

/** linux/if_packet.h: `struct packet_mreq { int ifindex; u16 type; u16 alen; u8 address[8] }`. */
export const PACKET_ADD_MEMBERSHIP = 1;
/** linux/if_packet.h */
export const PACKET_MR_PROMISC = 1;
/** linux/if_packet.h */
export const PACKET_MREQ_BYTES = 16;

/** linux/if_ether.h: every protocol. */
export const ETH_P_ALL = 3;
/** linux/if_packet.h: `struct sockaddr_ll { u16 family; be16 protocol; int ifindex; u16 hatype; u8 pkttype; u8 halen; u8 addr[8] }`. */
export const SOCKADDR_LL_BYTES = 20;
/** linux/if_packet.h: takes `struct tpacket_req3 { u32 block_size, block_nr, frame_size, frame_nr, retire_blk_tov, sizeof_priv, feature_req_word }`. */
export const PACKET_RX_RING = 5;
/** linux/if_packet.h: `struct tpacket_stats_v3 { u32 packets; u32 drops; u32 freeze_q_cnt }`, since it was last asked. */
export const PACKET_STATISTICS = 6;
/** linux/if_packet.h */
export const TPACKET_STATS_V3_BYTES = 12;
/** linux/if_packet.h */
export const PACKET_VERSION = 10;
/** linux/if_packet.h: a `struct virtio_net_hdr` lies in front of each packet, both ways. */
export const PACKET_VNET_HDR = 15;
/** linux/if_packet.h */
export const PACKET_IGNORE_OUTGOING = 23;
/** linux/if_packet.h: `enum tpacket_versions`. */
export const TPACKET_V3 = 2;
/** linux/if_packet.h: a block, or a packet, is the reader's. */
export const TP_STATUS_USER = 1;
/** linux/if_packet.h: `tp_vlan_tci` is the tag that was taken out of the packet. */
export const TP_STATUS_VLAN_VALID = 1 << 4;
/** linux/if_packet.h: so is `tp_vlan_tpid`. */
export const TP_STATUS_VLAN_TPID_VALID = 1 << 6;
/** linux/if_packet.h: offsets in `struct tpacket_block_desc`, its `struct tpacket_hdr_v1` included. */
export const TpacketBlock = {
  status: 8,
  packetCount: 12,
  firstPacket: 16,
} as const;
/** linux/if_packet.h: offsets in `struct tpacket3_hdr`; `mac` has 16 bits. */
export const Tpacket3 = {
  nextOffset: 0,
  seconds: 4,
  nanoseconds: 8,
  snapLength: 12,
  length: 16,
  status: 20,
  mac: 24,
  vlanTci: 32,
  vlanTpid: 36,
} as const;

/** linux/netlink.h: `struct sockaddr_nl { u16 family; u16 pad; u32 pid; u32 groups }`. */
export const NETLINK_ROUTE = 0;
/** linux/rtnetlink.h: interfaces that come, go and change. */
export const RTMGRP_LINK = 1;
/** linux/netlink.h */
export const SOCKADDR_NL_BYTES = 12;

/** poll(2). asm-generic/poll.h: `struct pollfd { int fd; short events; short revents }`. */
export const POLLIN = 0x1;
/** asm-generic/poll.h: an error waits; it is reported whether it was asked for or not. */
export const POLLERR = 0x8;
/** asm-generic/poll.h */
export const POLLFD_BYTES = 8;

/** eventfd(2). linux/eventfd.h */
export const EFD_NONBLOCK = 0o4000;
/** linux/eventfd.h */
export const EFD_CLOEXEC = 0o2000000;

/** mmap(2). asm-generic/mman-common.h, linux/mman.h */
export const PROT_READ_WRITE = 3;
/** linux/mman.h */
export const MAP_SHARED = 1;
export const MAP_PRIVATE = 2;
export const MAP_FIXED = 0x10;
export const MAP_ANONYMOUS = 0x20;
/** asm-generic/mman.h: the pages are there when mmap returns. */
export const MAP_POPULATE = 0x8000;

/** open(2). asm-generic/fcntl.h */
export const O_RDWR = 2;
/** asm-generic/fcntl.h */
export const O_NONBLOCK = 0o4000;
/** asm-generic/fcntl.h */
export const O_CLOEXEC = 0o2000000;

/** TAP and TUN. linux/if_tun.h */
export const TUNSETIFF = 0x400454ca;
/** linux/if_tun.h: its argument is the value itself. */
export const TUNSETOFFLOAD = 0x400454d0;
/** linux/if_tun.h */
export const TUNGETVNETHDRSZ = 0x800454d7;
/** linux/if_tun.h: its argument is where a program's descriptor is, or -1. */
export const TUNSETSTEERINGEBPF = 0x800454e0;
/** linux/if_tun.h: flags of TUNSETIFF, in the `struct ifreq`. */
export const IFF_TUN = 0x1;
/** linux/if_tun.h */
export const IFF_TAP = 0x2;
/** linux/if_tun.h: several descriptors for one interface, a queue each. */
export const IFF_MULTI_QUEUE = 0x100;
/** linux/if_tun.h: no `struct tun_pi` in front of packets. */
export const IFF_NO_PI = 0x1000;
/** linux/if_tun.h: a virtio header in front of them. */
export const IFF_VNET_HDR = 0x4000;
/** linux/if_tun.h: what TUNSETOFFLOAD says can be received. */
export const TUN_F_CSUM = 0x1;
/** linux/if_tun.h: super-packets of TCP over IPv4 and IPv6, with ECN too. */
export const TUN_F_TSO = 0x2 | 0x4 | 0x8;
/** linux/if_tun.h: those of UDP, over both; since Linux 6.2. */
export const TUN_F_USO = 0x20 | 0x40;

/** ioctl(2) on interfaces. linux/sockios.h; `struct ifreq` is in linux/if.h: a name of 16 bytes, then a union. */
export const SIOCGIFNAME = 0x8910;
/** linux/sockios.h */
export const SIOCGIFFLAGS = 0x8913;
/** linux/sockios.h: `struct ifconf`, a length and the address of so many bytes of `struct ifreq`. */
export const SIOCGIFCONF = 0x8912;
/** linux/sockios.h */
export const SIOCSIFFLAGS = 0x8914;
/** linux/sockios.h: `struct sockaddr_in` of the first IPv4 address. */
export const SIOCGIFNETMASK = 0x891b;
/** linux/sockios.h */
export const SIOCGIFMTU = 0x8921;
/** linux/sockios.h */
export const SIOCGIFHWADDR = 0x8927;
/** linux/sockios.h */
export const SIOCGIFINDEX = 0x8933;
/** linux/sockios.h */
export const SIOCETHTOOL = 0x8946;
/** linux/if.h */
export const IFREQ_BYTES = 40;
/** linux/if.h, the terminating zero included. */
export const IFNAMSIZ = 16;
/** linux/if.h */
export const IFF_UP = 0x1;
/** linux/if_arp.h: the hardware address family of Ethernet. */
export const ARPHRD_ETHER = 1;
/** linux/if_arp.h: no hardware address at all, as a TUN's. */
export const ARPHRD_NONE = 0xfffe;
/** linux/ethtool.h */
export const ETHTOOL_GDRVINFO = 0x3;
/** linux/ethtool.h: bytes of `struct ethtool_drvinfo`. */
export const ETHTOOL_DRVINFO_BYTES = 196;
/** linux/ethtool.h: `driver`, text of 32 bytes behind the command. */
export const ETHTOOL_DRVINFO_DRIVER = 4;
/** linux/ethtool.h */
export const ETHTOOL_GCHANNELS = 0x3c;
/** linux/ethtool.h: `struct ethtool_channels`, nine u32. */
export const ETHTOOL_CHANNELS_BYTES = 36;
/** linux/ethtool.h: offset of `rx_count`. */
export const ETHTOOL_CHANNELS_RX = 20;
/** linux/ethtool.h: offset of `combined_count`. */
export const ETHTOOL_CHANNELS_COMBINED = 32;

/** linux/ethtool.h */
export const ETHTOOL_GSTRINGS = 0x1b;
/** linux/ethtool.h */
export const ETHTOOL_GSTATS = 0x1d;
/** linux/ethtool.h */
export const ETHTOOL_GSSET_INFO = 0x37;
/** linux/ethtool.h */
export const ETHTOOL_GFEATURES = 0x3a;
/** linux/ethtool.h: names of counts. */
export const ETH_SS_STATS = 1;
/** linux/ethtool.h: names of features. */
export const ETH_SS_FEATURES = 4;
/** linux/ethtool.h: bytes of one name. */
export const ETH_GSTRING_LEN = 32;

/** AF_XDP. linux/if_xdp.h; `struct sockaddr_xdp { u16 family; u16 flags; u32 ifindex; u32 queue_id; u32 shared_umem_fd }`. */
export const SOCKADDR_XDP_BYTES = 16;
/** linux/if_xdp.h: this queue's socket uses the UMEM of another socket. */
export const XDP_SHARED_UMEM = 1;
/** linux/if_xdp.h */
export const XDP_COPY = 2;
/** linux/if_xdp.h */
export const XDP_ZEROCOPY = 4;
/** linux/if_xdp.h */
export const XDP_USE_NEED_WAKEUP = 8;
/** linux/if_xdp.h: socket options of level SOL_XDP. */
export const XDP_MMAP_OFFSETS = 1;
/** linux/if_xdp.h */
export const XDP_RX_RING = 2;
/** linux/if_xdp.h */
export const XDP_TX_RING = 3;
/** linux/if_xdp.h: `struct xdp_umem_reg { u64 addr; u64 len; u32 chunk_size; u32 headroom; u32 flags }`. */
export const XDP_UMEM_REG = 4;
/** linux/if_xdp.h */
export const XDP_UMEM_FILL_RING = 5;
/** linux/if_xdp.h */
export const XDP_UMEM_COMPLETION_RING = 6;
/** linux/if_xdp.h: `struct xdp_statistics`, six u64. */
export const XDP_STATISTICS = 7;
/** linux/if_xdp.h */
export const XDP_UMEM_REG_BYTES = 32;
/** linux/if_xdp.h: four `struct xdp_ring_offset` (rx, tx, fill, completion) of four u64 (producer, consumer, desc, flags). */
export const XDP_MMAP_OFFSETS_BYTES = 128;
/** linux/if_xdp.h */
export const XDP_STATISTICS_BYTES = 48;
/** linux/if_xdp.h: offsets to mmap the rings at. */
export const XDP_PGOFF_RX_RING = 0n;
/** linux/if_xdp.h */
export const XDP_PGOFF_TX_RING = 0x80000000n;
/** linux/if_xdp.h */
export const XDP_UMEM_PGOFF_FILL_RING = 0x100000000n;
/** linux/if_xdp.h */
export const XDP_UMEM_PGOFF_COMPLETION_RING = 0x180000000n;
/** linux/if_xdp.h: a flag of the fill and of the transmit ring. */
export const XDP_RING_NEED_WAKEUP = 1;
/** linux/bpf.h: bytes that the kernel keeps free in front of a received packet. */
export const XDP_PACKET_HEADROOM = 256;

/** bpf(2) commands. linux/bpf.h, `enum bpf_cmd` */
export const BpfCommand = {
  MAP_CREATE: 0,
  MAP_LOOKUP_ELEM: 1,
  MAP_UPDATE_ELEM: 2,
  MAP_DELETE_ELEM: 3,
  PROG_LOAD: 5,
  PROG_TEST_RUN: 10,
  MAP_UPDATE_BATCH: 26,
  LINK_CREATE: 28,
} as const;

/** Kinds of maps. linux/bpf.h, `enum bpf_map_type` */
export const BpfMapType = {
  HASH: 1,
  ARRAY: 2,
  PROG_ARRAY: 3,
  XSKMAP: 17,
} as const;

/** linux/bpf.h, `enum bpf_prog_type` */
export const BPF_PROG_TYPE_SOCKET_FILTER = 1;
/** linux/bpf.h, `enum bpf_prog_type` */
export const BPF_PROG_TYPE_XDP = 6;
/** linux/bpf.h, `enum bpf_attach_type` */
export const BPF_XDP = 37;
/** linux/bpf.h: `src_reg` of an `ld_imm64` whose immediate is a map's descriptor. */
export const BPF_PSEUDO_MAP_FD = 1;
/** linux/bpf.h: the opcode of `ld_imm64` (BPF_LD | BPF_DW | BPF_IMM). */
export const BPF_LD_IMM64 = 0x18;
/** linux/bpf.h */
export const BPF_OBJ_NAME_BYTES = 16;
/** linux/if_link.h */
export const XDP_FLAGS_SKB_MODE = 2;
/** linux/if_link.h */
export const XDP_FLAGS_DRV_MODE = 4;

/** Offsets in `union bpf_attr`, by command. linux/bpf.h */
export const BpfAttribute = {
  mapCreate: { type: 0, keyBytes: 4, valueBytes: 8, entriesMax: 12, name: 28 },
  element: { map: 0, key: 8, value: 16, flags: 24 },
  batch: { keys: 16, values: 24, count: 32, map: 36 },
  load: {
    type: 0,
    instructionCount: 4,
    instructions: 8,
    license: 16,
    logLevel: 24,
    logBytes: 28,
    log: 32,
    name: 48,
  },
  testRun: {
    program: 0,
    result: 4,
    dataBytesIn: 8,
    dataBytesOut: 12,
    dataIn: 16,
    dataOut: 24,
    repeat: 32,
    durationNs: 36,
    contextBytesIn: 40,
    contextBytesOut: 44,
    contextIn: 48,
    contextOut: 56,
  },
  linkCreate: { program: 0, target: 4, attachType: 8, flags: 12 },
} as const;

/** Bytes of `union bpf_attr` that are used here; the kernel takes the rest as zero. */
export const BPF_ATTRIBUTE_BYTES = 128;
