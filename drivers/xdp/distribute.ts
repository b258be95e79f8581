/**
 * Shares `count` free frames out among queues so that all have about as many:
 * the queue that has received most gets most. Fills `shares`, one for each of
 * `held` (how many frames each queue has), and returns it; their sum is `count`.
 */
export function distribute(
  count: number,
  held: Uint32Array,
  shares: Uint32Array,
): Uint32Array {
  const queues = held.length;
  if (queues === 1) {
    shares[0] = count;
    return shares;
  }
  let total = count;
  for (let queue = 0; queue < queues; queue++) total += held[queue]!;
  let left = count;
  // The level that all would have, rounded up: sums to at least `count`, so that
  // only queues beyond it can leave a rest.
  const level = Math.ceil(total / queues);
  for (let queue = 0; queue < queues; queue++) {
    const share = Math.min(left, Math.max(0, level - held[queue]!));
    shares[queue] = share;
    left -= share;
  }
  return shares;
}
