/** A small XDP program by hand: UDP to one port is claimed, all else passes. */

import type { KernelProgram } from "../../../caps/driver/program.ts";
import { Code } from "../../../services/filter/ebpf/assembler.ts";
import * as e from "../../../services/filter/ebpf/instruction.ts";

/** What a port is claimed for. */
export interface PortClaim {
  /** UDP destination port. */
  readonly port: number;
  /** The tag's halves. */
  readonly tagLow: number;
  /** The tag's halves. */
  readonly tagHigh: number;
}

const SOCKETS = 0;
const COUNTERS = 1;

/**
 * The program: IPv4 without options, UDP to `port`, is counted as `claimed`,
 * tagged and handed over.
 */
export function udpPortProgram(claim: PortClaim): KernelProgram {
  const code = new Code();
  code.push(
    e.movReg(e.R6, e.R1),
    e.load(4, e.R7, e.R6, 0),
    e.load(4, e.R8, e.R6, 4),
    e.movReg(e.R1, e.R7),
    e.addImm(e.R1, 42),
    e.jgtReg(e.R1, e.R8, "pass"),
    e.load(2, e.R1, e.R7, 12),
    e.jneImm(e.R1, swapped(0x0800), "pass"),
    e.load(1, e.R1, e.R7, 14),
    e.jneImm(e.R1, 0x45, "pass"),
    e.load(1, e.R1, e.R7, 23),
    e.jneImm(e.R1, 17, "pass"),
    e.load(2, e.R1, e.R7, 36),
    e.jneImm(e.R1, swapped(claim.port), "pass"),
    // Count.
    e.storeImm(4, e.R10, -4, 0),
    e.loadMap(e.R1, COUNTERS),
    e.movReg(e.R2, e.R10),
    e.addImm(e.R2, -4),
    e.call(e.HELPER.MAP_LOOKUP_ELEM),
    e.jeqImm(e.R0, 0, "drop"),
    e.movImm(e.R1, 1),
    e.atomicAdd64(e.R0, 0, e.R1),
    // Tag.
    e.movReg(e.R1, e.R6),
    e.movImm(e.R2, -8),
    e.call(e.HELPER.XDP_ADJUST_META),
    e.jneImm(e.R0, 0, "drop"),
    e.load(4, e.R2, e.R6, 8),
    e.load(4, e.R1, e.R6, 0),
    e.movReg(e.R3, e.R2),
    e.addImm(e.R3, 8),
    e.jgtReg(e.R3, e.R1, "drop"),
    e.loadImm64(e.R4, claim.tagLow, claim.tagHigh),
    e.store(8, e.R2, 0, e.R4),
    // Hand over.
    e.loadMap(e.R1, SOCKETS),
    e.load(4, e.R2, e.R6, 16),
    e.movImm(e.R3, 1),
    e.call(e.HELPER.REDIRECT_MAP),
    e.exit(),
  );
  code.label("drop");
  code.push(e.movImm(e.R0, 1), e.exit());
  code.label("pass");
  code.push(e.movImm(e.R0, 2), e.exit());
  return {
    ...code.assemble(),
    maps: [{ kind: "sockets" }, { kind: "counters", reasons: ["claimed"] }],
  };
}

/** A 16-bit number in network byte order, as this host loads it. */
function swapped(value: number): number {
  return ((value & 0xff) << 8) | (value >>> 8);
}
