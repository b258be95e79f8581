import { equal } from "node:assert/strict";
import {
  formatSocketAddress,
  isIpv6,
} from "../../../caps/driver/socket_address.ts";

Deno.test("an IPv6 address stands in brackets before its port", () => {
  const port = 4789;
  equal(formatSocketAddress({ hostname: "10.0.0.2", port }), "10.0.0.2:4789");
  equal(formatSocketAddress({ hostname: "::1", port }), "[::1]:4789");
  equal(isIpv6("::"), true);
  equal(isIpv6("10.0.0.2"), false);
});
