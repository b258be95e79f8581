/** Capabilities of this process, as the kernel divides root's rights. Source: capabilities(7), linux/capability.h. */

import { libc } from "./libc.ts";
import { LINUX_CAPABILITY_VERSION_3 } from "./process_abi.ts";

/** Whether this thread may use a capability, by its number: up to 63 of them. */
export function hasCapability(number: number): boolean {
  // `struct __user_cap_header_struct { u32 version; int pid }`, this thread's.
  const header = new Uint32Array([LINUX_CAPABILITY_VERSION_3, 0]);
  // Two of `struct __user_cap_data_struct { u32 effective, permitted, inheritable }`.
  const data = new Uint32Array(6);
  if (libc().capget(header, data) < 0) return false;
  const word = data[Math.floor(number / 32) * 3]!;
  return (word >>> (number % 32) & 1) === 1;
}
