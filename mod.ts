/**
 * The network below the socket, for TypeScript programs: whole frames, each
 * program seeing only the packets that it holds a capability for.
 *
 * ```ts
 * import { boot, defaultManifest, describeFrame, ipv4 } from "@sallyport/sallyport";
 *
 * const system = await boot(defaultManifest(), { confined: false });
 * const packets = await system.open(ipv4().udp().dstPort(1024, 65535).grant);
 * for await (const { bytes } of packets) {
 *   console.log(describeFrame(bytes, 0, bytes.length));
 * }
 * ```
 *
 * The library is made of layers, and each can be used without those above it:
 *
 * ```
 *   a system      boot, System, Manifest       a NIC, services, and who may what
 *   capabilities  system.open, Receiver        packets by `for await`, frames sent
 *   services      Core, ServiceFactory         protocols as state machines
 *   grants        ipv4(), grant, filter        which packets: built, or as text
 *   frames        parseIpv4, emitUdp, …        headers, read and written
 *   NICs          Driver, openEmulated         where frames come from
 *   captures      openCapture, …               pcap and pcapng files
 * ```
 *
 * - **A system** is a manifest that runs: {@link boot} takes one
 *   ({@link defaultManifest}, {@link parseManifest}) and gives a {@link System}.
 *   Start here to receive and send packets.
 * - **A capability** stands for a grant. {@link System.open} derives one from the
 *   NIC's root and gives a {@link Receiver}. Interposers ({@link count},
 *   {@link delay}, {@link drop}, {@link log}, {@link rewrite}) stand in between.
 * - **A service** is a {@link Core}: frames and the time go in, frames and the
 *   next wake-up come out. {@link answerDatagrams} makes one of a function;
 *   {@link ServiceFactory} is what a module of one's own exports.
 * - **A grant** says which packets: by builder ({@link ethernet}, {@link arp},
 *   {@link ipv4}, {@link ipv6}, {@link vlan}), or as text by {@link grant}.
 *   {@link filter} takes the whole of libpcap's language, for frames of any
 *   origin: nothing has to run for `filter("tcp port 80").matches(bytes)`.
 * - **Frames** have for each header a representation (`parseX`, `emitX`) and
 *   views of its fields in place. No parser throws or reads past the end.
 * - **A NIC** is a {@link Driver}. {@link openEmulated} makes one of a wire
 *   ({@link makeWire}, {@link WireEnd}); `boot` takes one of one's own.
 * - **Captures** are read and written frame by frame: {@link openCaptureFile},
 *   {@link createCaptureFile}.
 *
 * Services are tested in a simulated world by `@sallyport/sallyport/testing`.
 *
 * Importing this module starts nothing and needs no permission.
 *
 * @module
 */

// A system: a NIC, and services with capabilities on it.
export {
  boot,
  type BootOptions,
  type Ending,
  type OpenOptions,
  type PictureOptions,
  type PluggedNic,
  type Restart,
  type System,
} from "./services/system/boot.ts";
export { type WorkerPermissions } from "./services/runtime/start_worker.ts";
export {
  CORE_NAMES,
  type CoreManifest,
  type CoreManifestInput,
  type CoreName,
  CORES,
  DEFAULT_MANIFEST,
  defaultManifest,
  formatManifest,
  type InterfaceAddress,
  type Manifest,
  ManifestError,
  type ManifestInput,
  type ManifestProblem,
  type NicChoice,
  parseManifest,
  PLACES,
  type RestartPolicy,
  type ServiceHolding,
  type ServiceHoldingInput,
  type ServiceManifest,
  type ServiceManifestInput,
  type ServicePlace,
} from "./services/manifest/manifest.ts";
export { NIC_KINDS } from "./services/manifest/nic/nics.ts";
export { type WireChoice } from "./services/manifest/nic/wire.ts";
export { type WireFaults } from "./caps/driver/wire_faults.ts";
export { type UdpChoice } from "./services/manifest/nic/udp.ts";
export { type SocketAddress } from "./caps/driver/socket_address.ts";
export { type RateLimitInput } from "./services/manifest/rate_limit.ts";
export {
  type CapabilitySnapshot,
  type Counts,
  type InterposerSnapshot,
  type PagesSnapshot,
  type PortSnapshot,
  type ServiceSnapshot,
  type SystemSnapshot,
} from "./services/system/snapshot.ts";

// A capability in the program's own hands.
export {
  type Packet,
  Receiver,
  type ReceiverParts,
} from "./services/receiver/receiver.ts";
export { RefusedError } from "./services/filter/service/client.ts";
export { type Refusal } from "./caps/kernel/kernel.ts";
export { type Capability } from "./caps/kernel/capability.ts";
export { type Port } from "./caps/port/port.ts";
export { type RateLimit } from "./caps/kernel/rate_limit.ts";
export {
  type CapabilityAccount,
  type PacketCounts,
} from "./caps/driver/accounts.ts";
export { type Delivery, type Submission } from "./caps/port/records.ts";
export {
  type TrustedAccess,
  type TrustedRings,
} from "./caps/port/trusted_ring.ts";

// Interposers: what a capability's packets pass unseen by its holder.
export {
  type InterposerSpec,
  type LogSpec,
} from "./services/manifest/interposer.ts";
export { type ServiceInterposers } from "./services/system/system.ts";
export { Tally } from "./caps/driver/accounts.ts";
export {
  type Interposer,
  type InterposerVerdict,
} from "./services/interpose/interposer.ts";
export {
  interpose,
  type InterposeOptions,
} from "./services/interpose/interpose.ts";
export { type InterposedPort } from "./services/interpose/layer.ts";
export { count } from "./services/interpose/count.ts";
export { delay, type DelayOptions } from "./services/interpose/delay.ts";
export { drop, type DropOptions } from "./services/interpose/drop.ts";
export { type FrameSink, log } from "./services/interpose/log.ts";
export {
  rewrite,
  type Rewriting,
  type Way,
} from "./services/interpose/rewrite.ts";

// Grants: which packets a capability stands for.
export {
  AddressedFrames,
  arp,
  ArpFrames,
  DatagramFrames,
  either,
  ethernet,
  EthernetFrames,
  Frames,
  type HasGrant,
  IcmpFrames,
  IpFrames,
  ipv4,
  ipv6,
  PortFrames,
  TaggedFrames,
  vlan,
} from "./services/filter/grant/builder.ts";
export { withPriorityTagged } from "./services/filter/grant/priority_tagged.ts";
export {
  type ArpPayload,
  type Conjunction,
  type Grant,
  GrantError,
  type IpPayload,
  type MacPattern,
  type Payload,
  type PortRange,
  type Prefix,
  type TypePayload,
} from "./services/filter/grant/grant.ts";
export { type FragmentClass } from "./services/filter/grant/grant.ts";
export { checkGrant } from "./services/filter/grant/check.ts";
export { describeGrant } from "./services/filter/grant/describe.ts";
export { matches } from "./services/filter/tree/reference.ts";
export { overlaps } from "./services/filter/grant/overlap.ts";

// The same as text: libpcap's language.
export {
  CompiledFilter,
  filter,
  FilterError,
  type FilterOptions,
  grant,
  type LinkType,
} from "./services/filter/text/filter.ts";
export type {
  Arithmetic,
  Compare,
  Load,
  Member,
  Operator,
  Program,
  Protochain,
  Test,
  Value,
} from "./services/filter/language/ir.ts";

// Protocol cores: those that services run, and what one's own is made of.
export {
  type Core,
  type DropReason,
  type Frame,
  type Outbox,
  type ServiceNews,
  type Verdict,
} from "./services/core/core.ts";
export {
  CHECKSUM_COMPLETE,
  CHECKSUM_MAY_BE_PARTIAL,
  CHECKSUM_PARTIAL,
  checksumOf,
  GSO_NONE,
  GSO_TCP4,
  GSO_TCP6,
  GSO_UDP,
  gsoOf,
  mayBePartial,
  OFFLOAD_CHECKSUM,
  offloadsGso,
  offloadWord,
  segmentBytesOf,
} from "./caps/port/offload.ts";
export { type Instant, NEVER } from "./services/runtime/clock.ts";
export {
  type ServiceDefinition,
  type ServiceSettings,
} from "./services/core/definition.ts";
export { arpService } from "./services/arp/service.ts";
export { icmpEchoService } from "./services/icmp-echo/service.ts";
export {
  udpEchoService,
  type UdpEchoSettings,
} from "./services/udp-echo/service.ts";

// A service in a file of its own: what it exports, is given, and is refused for.
export { type ServiceFactory } from "./services/loader/factory.ts";
export { type ServiceKit, serviceKit } from "./services/loader/kit.ts";
export {
  ModuleError,
  type ModuleProblem,
} from "./services/loader/module_error.ts";
export {
  type ModuleManifest,
  type ModuleManifestInput,
} from "./services/manifest/manifest.ts";
export {
  type AnswerDatagram,
  answerDatagrams,
  type Asker,
} from "./services/udp/answers.ts";
export { Responder } from "./services/core/responder.ts";

// Ports between services: what is asked, answered and told, and by whom.
export {
  type PortInterface,
  portInterface,
} from "./services/ports/interface.ts";
/** Kinds of values that pass through a port: {@link portInterface} is made of them. */
export * as portFields from "./services/ports/fields.ts";
export { type Field, type ValueOf } from "./services/ports/fields.ts";
export { type BodyReader, type BodyWriter } from "./services/ports/body.ts";
export { type NoValue } from "./services/ports/interface.ts";
export {
  type PortCounts,
  type Ports,
  type PortSide,
  unconnectedPorts,
} from "./services/core/ports.ts";
export {
  type AskHears,
  type AskPort,
  type OnAnswer,
} from "./services/core/asking.ts";
export {
  type AnswerPort,
  type Answers,
  type Incoming,
} from "./services/core/answering.ts";
export { Ipv4Endpoint, type Ipv4Options } from "./services/ip/ipv4_endpoint.ts";
export { type OwnAddresses } from "./services/ip/own_addresses.ts";

// Frames on the wire: views and representations, header by header.
export { describeFrame } from "./services/wire/describe.ts";
export { type DescribeOptions } from "./services/wire/describe_payload.ts";
export * from "./services/wire/mod.ts";

// Captures: pcap and pcapng.
export {
  CaptureError,
  type CapturePacket,
  type CaptureReader,
  openCapture,
} from "./drivers/capture/format.ts";
export { type Oddities } from "./drivers/capture/oddities.ts";
export {
  CAPTURED_BYTES_MAX,
  emptyPacket,
  LINK_ETHERNET,
} from "./drivers/capture/packet.ts";
export {
  type CaptureFile,
  type CaptureOutput,
  createCaptureFile,
  openCaptureFile,
  type OutputOptions,
  ReaderGoneError,
} from "./drivers/capture/file.ts";
export { type FileIdentity, identityOf } from "./drivers/capture/same_file.ts";
export {
  type CaptureSink,
  type CaptureWriter,
  makePcapngWriter,
  makePcapWriter,
  type WriterOptions,
} from "./drivers/capture/writer.ts";

// NICs: what one is, an emulated one, and a core at the other end of its wire.
export {
  type Driver,
  type DriverInfo,
  type PageExchange,
} from "./drivers/driver.ts";
export {
  type Batch,
  frameAt,
  frameOffset,
  makePacketMemory,
  type PacketMemory,
  PAGE_BYTES,
} from "./caps/memory/memory.ts";
// For a driver of one's own: its pages, its rings, its waiting, its worker.
export { CopiedPages } from "./drivers/kit/copied_pages.ts";
export { FrameRing } from "./drivers/kit/frame_ring.ts";
export { IdleWait } from "./drivers/kit/idle_wait.ts";
export { type OpenDriver, serveDriver } from "./drivers/service/start.ts";
export {
  type KernelMap,
  type KernelMapChange,
  type KernelProgram,
  type SocketFilter,
} from "./caps/driver/program.ts";
export {
  type EmulatedOptions,
  openEmulated,
} from "./drivers/emulated/driver.ts";
export {
  ETHERNET_FRAME_BYTES_MAX,
  makeWire,
  type WireEnd,
  type WireOptions,
} from "./drivers/emulated/wire.ts";
export { makePeer, type PeerOptions } from "./services/peer/core.ts";
export { type FrameLink, LinkRunner } from "./services/peer/runner.ts";
export { type Clock, makeRealClock } from "./services/runtime/clock.ts";
