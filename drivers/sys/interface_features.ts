/**
 * Which offloads of an interface are on, by the names that the kernel has for
 * them: net/ethtool/common.c, netdev_features_strings. Source: linux/ethtool.h.
 */

import {
  ETH_GSTRING_LEN,
  ETH_SS_FEATURES,
  ETH_SS_STATS,
  ETHTOOL_GFEATURES,
  ETHTOOL_GSSET_INFO,
  ETHTOOL_GSTATS,
  ETHTOOL_GSTRINGS,
} from "./abi.ts";
import { InterfaceRequest } from "./interface_request.ts";

/** More strings of one set than any interface has. */
const STRINGS_MAX = 4096;

/** The features of the interface of that index that are on; none where its driver cannot say. */
export function activeFeatures(index: number): ReadonlySet<string> {
  using request = new InterfaceRequest("");
  const active = new Set<string>();
  if (!request.choose(index)) return active;
  const names = stringsOf(request, ETH_SS_FEATURES);
  const blocks = Math.ceil(names.length / 32);
  // { cmd, size, { available, requested, active, never_changed }[size] }
  const words = new Uint32Array(2 + 4 * blocks);
  words[0] = ETHTOOL_GFEATURES;
  words[1] = blocks;
  if (request.ethtool(new Uint8Array(words.buffer)) !== 0) return active;
  for (const [bit, name] of names.entries()) {
    const block = words[2 + 4 * (bit >>> 5) + 2]!;
    if ((block >>> (bit & 31) & 1) !== 0) active.add(name);
  }
  return active;
}

/** The index of the other end of a veth, which may be in another namespace; undefined for what is none. */
export function vethPeerOf(index: number): number | undefined {
  using request = new InterfaceRequest("");
  if (!request.choose(index)) return undefined;
  const names = stringsOf(request, ETH_SS_STATS);
  const at = names.indexOf("peer_ifindex");
  if (at < 0) return undefined;
  // { cmd, n_stats, u64[n_stats] }
  const view = new DataView(new ArrayBuffer(8 + 8 * names.length));
  view.setUint32(0, ETHTOOL_GSTATS, true);
  view.setUint32(4, names.length, true);
  if (request.ethtool(new Uint8Array(view.buffer)) !== 0) return undefined;
  return Number(view.getBigUint64(8 + 8 * at, true));
}

function stringsOf(request: InterfaceRequest, set: number): string[] {
  // { cmd, reserved, u64 sset_mask, u32 count }
  const info = new DataView(new ArrayBuffer(20));
  info.setUint32(0, ETHTOOL_GSSET_INFO, true);
  info.setBigUint64(8, 1n << BigInt(set), true);
  if (request.ethtool(new Uint8Array(info.buffer)) !== 0) return [];
  const count = Math.min(info.getUint32(16, true), STRINGS_MAX);
  if (info.getBigUint64(8, true) === 0n || count === 0) return [];
  // { cmd, string_set, len, char[len][32] }
  const bytes = new Uint8Array(12 + count * ETH_GSTRING_LEN);
  const head = new DataView(bytes.buffer);
  head.setUint32(0, ETHTOOL_GSTRINGS, true);
  head.setUint32(4, set, true);
  head.setUint32(8, count, true);
  if (request.ethtool(bytes) !== 0) return [];
  return Array.from({ length: count }, (_, i) => {
    const at = 12 + i * ETH_GSTRING_LEN;
    return new TextDecoder().decode(bytes.subarray(at, at + ETH_GSTRING_LEN))
      .replace(/\0.*$/s, "");
  });
}
