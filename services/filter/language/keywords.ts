/**
 * The words of the language, pcap-filter(7). A word that is one of these is
 * never a name; `\word` is.
 */

/** Protocols that qualify a primitive, or stand alone. */
export type ProtocolName =
  | "link"
  | "ip"
  | "arp"
  | "rarp"
  | "sctp"
  | "tcp"
  | "udp"
  | "icmp"
  | "igmp"
  | "igrp"
  | "pim"
  | "vrrp"
  | "carp"
  | "atalk"
  | "aarp"
  | "decnet"
  | "lat"
  | "sca"
  | "mopdl"
  | "moprc"
  | "ip6"
  | "icmp6"
  | "ah"
  | "esp"
  | "iso"
  | "esis"
  | "isis"
  | "l1"
  | "l2"
  | "iih"
  | "lsp"
  | "snp"
  | "psnp"
  | "csnp"
  | "clnp"
  | "stp"
  | "ipx"
  | "netbeui"
  | "radio";

const PROTOCOLS: readonly ProtocolName[] = [
  ..."link ip arp rarp sctp tcp udp icmp igmp igrp pim vrrp carp".split(" "),
  ..."atalk aarp decnet lat sca mopdl moprc ip6 icmp6 ah esp iso".split(" "),
  ..."esis isis l1 l2 iih lsp snp psnp csnp clnp stp ipx netbeui".split(" "),
  "radio",
] as ProtocolName[];

/** Other spellings of a word. */
const SPELLINGS: Readonly<Record<string, string>> = {
  ether: "link",
  ppp: "link",
  slip: "link",
  fddi: "link",
  tr: "link",
  wlan: "link",
  "es-is": "esis",
  "is-is": "isis",
  length: "len",
  address1: "addr1",
  address2: "addr2",
  address3: "addr3",
  address4: "addr4",
  direction: "dir",
  on: "ifname",
  rset: "ruleset",
  rulenum: "rnr",
  subrulenum: "srnr",
  lsu: "lssu",
};

const STRUCTURE =
  ("and or not src dst host net mask port portrange proto protochain gateway " +
    "less greater byte broadcast multicast len inbound outbound ifindex vlan " +
    "mpls pppoed pppoes geneve vxlan llc").split(" ");

/** Words that belong to link types which Sallyport does not have, by which. */
const FOREIGN: Readonly<Record<string, string>> = {
  "IEEE 802.11": "type subtype dir addr1 addr2 addr3 addr4 ra ta",
  ATM: "lane metac bcc oam oamf4 oamf4ec oamf4sc sc ilmic vpi vci " +
    "connectmsg metaconnect",
  "the OpenBSD packet filter's log": "ifname ruleset rnr srnr reason action",
  SS7: "fisu lssu msu hfisu hlssu hmsu sio opc dpc sls hsio hopc hdpc hsls",
};

const KEYWORDS = new Map<string, string>();
const PROTOCOL_SET = new Set<string>(PROTOCOLS);
const FOREIGN_OF = new Map<string, string>();

for (const word of PROTOCOLS) KEYWORDS.set(word, word);
for (const word of STRUCTURE) KEYWORDS.set(word, word);
for (const [medium, words] of Object.entries(FOREIGN)) {
  for (const word of words.split(" ")) {
    KEYWORDS.set(word, word);
    FOREIGN_OF.set(word, medium);
  }
}
for (const [spelling, word] of Object.entries(SPELLINGS)) {
  KEYWORDS.set(spelling, word);
}

/** The word in its one spelling; undefined when it is a name. */
export function keywordOf(word: string): string | undefined {
  return KEYWORDS.get(word);
}

/** Whether a keyword names a protocol. */
export function isProtocol(word: string): word is ProtocolName {
  return PROTOCOL_SET.has(word);
}

/** The medium that a keyword is for; undefined when it is for all. */
export function foreignTo(keyword: string): string | undefined {
  return FOREIGN_OF.get(keyword);
}

/** Words that stand for a number. */
export const CONSTANTS: ReadonlyMap<string, number> = new Map([
  ...prefixed("", {
    icmptype: 0,
    icmpcode: 1,
    icmp6type: 0,
    icmp6code: 1,
    tcpflags: 13,
  }),
  ...prefixed("tcp-", {
    fin: 0x01,
    syn: 0x02,
    rst: 0x04,
    push: 0x08,
    ack: 0x10,
    urg: 0x20,
    ece: 0x40,
    cwr: 0x80,
  }),
  ...prefixed("icmp-", {
    echoreply: 0,
    unreach: 3,
    sourcequench: 4,
    redirect: 5,
    echo: 8,
    routeradvert: 9,
    routersolicit: 10,
    timxceed: 11,
    paramprob: 12,
    tstamp: 13,
    tstampreply: 14,
    ireq: 15,
    ireqreply: 16,
    maskreq: 17,
    maskreply: 18,
  }),
  ...prefixed("icmp6-", {
    destinationunreach: 1,
    packettoobig: 2,
    timeexceeded: 3,
    parameterproblem: 4,
    echo: 128,
    echoreply: 129,
    multicastlistenerquery: 130,
    multicastlistenerreportv1: 131,
    multicastlistenerdone: 132,
    routersolicit: 133,
    routeradvert: 134,
    neighborsolicit: 135,
    neighboradvert: 136,
    redirect: 137,
    routerrenum: 138,
    nodeinformationquery: 139,
    nodeinformationresponse: 140,
    ineighbordiscoverysolicit: 141,
    ineighbordiscoveryadvert: 142,
    multicastlistenerreportv2: 143,
    homeagentdiscoveryrequest: 144,
    homeagentdiscoveryreply: 145,
    mobileprefixsolicit: 146,
    mobileprefixadvert: 147,
    certpathsolicit: 148,
    certpathadvert: 149,
    multicastrouteradvert: 151,
    multicastroutersolicit: 152,
    multicastrouterterm: 153,
  }),
]);

function prefixed(
  prefix: string,
  values: Readonly<Record<string, number>>,
): [string, number][] {
  return Object.entries(values).map(([name, value]) => [prefix + name, value]);
}

/** The number that a word such as `tcp-syn` stands for. */
export function constantOf(word: string): number | undefined {
  return CONSTANTS.get(word);
}
