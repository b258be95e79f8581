/** What a third party's service is given to build with: functions without powers. */

import * as offload from "../../caps/port/offload.ts";
import { NEVER } from "../runtime/clock.ts";
import {
  arp,
  either,
  ethernet,
  ipv4,
  ipv6,
  vlan,
} from "../filter/grant/builder.ts";
import { grant } from "../filter/grant/text/grant_text.ts";
import { Ipv4Endpoint } from "../ip/ipv4_endpoint.ts";
import { Responder } from "../core/responder.ts";
import * as fields from "../ports/fields.ts";
import { portInterface } from "../ports/interface.ts";
import { answerDatagrams } from "../udp/answers.ts";
import * as wire from "../wire/mod.ts";

/** The first and only argument of a service's module. */
export interface ServiceKit {
  /** Frames on the wire: all of the views and representations. */
  readonly wire: typeof wire;
  /** Grants, by builder or as text. */
  readonly filter: {
    readonly arp: typeof arp;
    readonly either: typeof either;
    readonly ethernet: typeof ethernet;
    readonly grant: typeof grant;
    readonly ipv4: typeof ipv4;
    readonly ipv6: typeof ipv6;
    readonly vlan: typeof vlan;
  };
  /** Whole services, short of what they answer. */
  readonly services: {
    readonly answerDatagrams: typeof answerDatagrams;
  };
  /** What passes between services: interfaces, and the kinds of their fields. */
  readonly ports: {
    readonly fields: typeof fields;
    readonly portInterface: typeof portInterface;
  };
  /** What cores are made of. */
  readonly core: {
    readonly Ipv4Endpoint: typeof Ipv4Endpoint;
    readonly NEVER: typeof NEVER;
    /** What a frame's offload word says. */
    readonly offload: typeof offload;
    readonly Responder: typeof Responder;
  };
}

/** The kit, for who runs a service in the own thread. */
export const serviceKit: ServiceKit = Object.freeze({
  wire: Object.freeze({ ...wire }),
  filter: Object.freeze({ arp, either, ethernet, grant, ipv4, ipv6, vlan }),
  services: Object.freeze({ answerDatagrams }),
  ports: Object.freeze({ fields: Object.freeze({ ...fields }), portInterface }),
  core: Object.freeze({
    Ipv4Endpoint,
    NEVER,
    offload: Object.freeze({ ...offload }),
    Responder,
  }),
});
