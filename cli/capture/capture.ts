/** `sallyport capture`: packets of a capture or of a NIC, in tcpdump's manner. */

import { LINK_ETHERNET } from "../../drivers/capture/packet.ts";
import { captureInput } from "./file.ts";
import { CaptureFilter } from "./filter.ts";
import {
  type CaptureInput,
  openFileInput,
  openStandardInput,
} from "./input.ts";
import { CaptureIntake } from "./intake.ts";
import {
  type BootPaused,
  captureNic,
  describeObserver,
  observerOf,
} from "./nic.ts";
import { CAPTURE_HELP } from "./help.ts";
import { type CapturePlan, readCapturePlan } from "./options.ts";
import { discardPackets, type PacketSink, printPackets } from "./sink.ts";
import { writePackets } from "./file_sink.ts";
import {
  type Command,
  STATUS_FINE,
  STATUS_INTERRUPTED,
} from "../command/command.ts";
import { readTextFile } from "../command/text_file.ts";
import { refuseTerminal } from "../command/same_file.ts";
import { stopOnInterrupt } from "../command/interrupt.ts";
import {
  keepPermissions,
  type PermissionName,
  permissionNamesOf,
} from "../up/permissions.ts";
import { Stop } from "../command/stop.ts";
import type { Terminal } from "../screen/terminal.ts";
import { printable } from "../screen/text.ts";

/** The command `capture`, which starts systems with `boot` for what comes from a NIC. */
export function captureCommand(boot: BootPaused): Command {
  return {
    name: "capture",
    aliases: [],
    summary: "print, filter or write packets, in tcpdump's manner",
    run: async (args, terminal) => {
      const plan = readCapturePlan(args, readTextFile);
      if (plan === undefined) {
        terminal.write(CAPTURE_HELP);
        return STATUS_FINE;
      }
      await capture(plan, terminal, boot);
      return STATUS_FINE;
    },
  };
}

async function capture(
  plan: CapturePlan,
  terminal: Terminal,
  boot: BootPaused,
): Promise<void> {
  const filter = filterOf(plan);
  using sink = sinkOf(plan, terminal);
  const intake = new CaptureIntake(filter, sink, plan.countMax);
  const stop = new Stop();
  using _interrupts = stopOnInterrupt(
    terminal,
    () => terminal.exit(STATUS_INTERRUPTED),
    () => stop.ask(),
  );
  const { source } = plan;
  const written = writePermissions(plan);
  if (source.kind === "nic") {
    filter.prepare(LINK_ETHERNET);
    const manifest = observerOf(source.nic);
    await keepPermissions([...written, ...permissionNamesOf(source.nic)]);
    const { missed, warning } = await captureNic(manifest, intake, {
      boot,
      stop,
      onOpen: (netmask) => {
        if (source.nic.kind !== "pcap") filter.setNetmask(netmask);
        filter.prepare(LINK_ETHERNET);
        terminal.writeError(`sallyport: ${describeObserver(manifest)}\n`);
      },
    });
    warn(terminal, warning);
    warn(terminal, missed);
  } else {
    using input = await inputOf(source, stop);
    await keepPermissions(written);
    const warnings = input === undefined
      ? []
      : await captureInput(input, intake, stop);
    for (const warning of warnings) warn(terminal, warning);
  }
  intake.finish();
  warn(terminal, intake.warning);
  tellCounts(plan, intake, { terminal, stopped: stop.stopped });
}

/** To see that a file is another than one that is read takes the permission to read. */
function writePermissions({ write }: CapturePlan): PermissionName[] {
  if (write === undefined) return [];
  return write.apartFrom.length === 0 ? ["write"] : ["write", "read"];
}

function warn(terminal: Terminal, warning: string | undefined): void {
  if (warning === undefined) return;
  terminal.writeError(`sallyport: ${printable(warning)}\n`);
}

function filterOf({ source, filter }: CapturePlan): CaptureFilter {
  if (source.kind !== "nic") {
    // As tcpdump, which knows no network mask of a file.
    return new CaptureFilter(filter, { netmask: 0, savefile: true });
  }
  // Until the interface's own is known, for all other mistakes to be found.
  return new CaptureFilter(filter, { netmask: 0, savefile: false });
}

function sinkOf(plan: CapturePlan, terminal: Terminal): PacketSink {
  if (plan.countOnly) return discardPackets();
  if (plan.write !== undefined) {
    refuseTerminal("-w", plan.write.path, terminal);
    return writePackets(plan.write);
  }
  return printPackets(terminal, plan.line);
}

async function inputOf(
  source: Exclude<CapturePlan["source"], { kind: "nic" }>,
  stop: Stop,
): Promise<CaptureInput | undefined> {
  return source.kind === "file"
    ? await openFileInput(source.path, stop)
    : openStandardInput(Deno.stdin);
}

/** The counts, where they are asked for, or say what became of packets that were not shown. */
function tellCounts(
  plan: CapturePlan,
  intake: CaptureIntake,
  { terminal, stopped }: {
    readonly terminal: Terminal;
    readonly stopped: boolean;
  },
): void {
  const line = `${intake.describe()}\n`;
  if (plan.countOnly) terminal.write(line);
  else if (stopped || plan.source.kind === "nic") {
    intake.flush();
    terminal.writeError(line);
  }
}
