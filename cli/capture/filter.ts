/** The filter of `sallyport capture`, compiled for each link type that turns up. */

import { type CapturePacket, linkName } from "../../drivers/capture/packet.ts";
import type { Expression } from "../../services/filter/language/ast.ts";
import { compileTree } from "../../services/filter/language/compile.ts";
import { matchesText } from "../../services/filter/language/interpret.ts";
import type { Program } from "../../services/filter/language/ir.ts";
import type { LinkType } from "../../services/wire/link_type.ts";
import { parse } from "../../services/filter/language/parser.ts";
import { linkOf } from "../../services/wire/link.ts";

/** Decides which packets are taken. */
export class CaptureFilter {
  readonly #text: string;
  readonly #tree: Expression;
  #netmask: number | undefined;
  readonly #savefile: boolean;
  readonly #programs = new Map<number, Program>();
  /** The program of the last packet's link type. */
  #program: Program | undefined;
  #linkType: number | undefined;

  /**
   * Reads `text`; empty for every packet.
   * @throws {FilterError} where it is not of the language.
   */
  constructor(
    text: string,
    options: {
      /** The network's mask, for `ip broadcast`; host byte order. Undefined where there is none. */
      readonly netmask: number | undefined;
      /** Whether packets come from a capture file. */
      readonly savefile: boolean;
    },
  ) {
    this.#text = text;
    this.#tree = parse(text);
    this.#netmask = options.netmask;
    this.#savefile = options.savefile;
  }

  /** Changes the network's mask; {@link prepare} is to be called again. */
  setNetmask(netmask: number | undefined): void {
    this.#netmask = netmask;
    this.#programs.clear();
    this.#linkType = undefined;
  }

  /**
   * Compiles for a link type.
   * @throws {FilterError} where the text is refused for it.
   */
  prepare(linkType: number): void {
    if (this.#tree.kind === "everything") return;
    const known = this.#programs.get(linkType);
    const program = known ?? this.#compile(linkType);
    this.#programs.set(linkType, program);
    this.#program = program;
    this.#linkType = linkType;
  }

  /** Whether the packet is one of those that the text is about. */
  matches(packet: CapturePacket): boolean {
    if (this.#tree.kind === "everything") return true;
    if (packet.linkType !== this.#linkType) this.prepare(packet.linkType);
    const { bytes, start, length, originalLength } = packet;
    return matchesText(this.#program!, bytes, start, length, originalLength);
  }

  #compile(linkType: number): Program {
    const link: LinkType | undefined = linkOf(linkType);
    if (link === undefined) {
      throw new Error(
        `capture: packets of ${
          linkName(linkType)
        } cannot be filtered; leave the filter out, or convert the capture`,
      );
    }
    return compileTree(this.#text, this.#tree, {
      linkType: link,
      ...(this.#netmask === undefined ? {} : { netmask: this.#netmask }),
      savefile: this.#savefile,
    });
  }
}
