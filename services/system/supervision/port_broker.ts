/**
 * Connects services to those that the manifest lets them ask, and to nobody else.
 *
 * ```
 *              both run, and have opened the same interface
 *   apart ──────────────────────────────────────────────────► connected
 *     ▲                  either ends, or starts again             │
 *     └───────────────────────────────────────────────────────────┘
 * ```
 *
 * Each connection is a channel of its own, with a number that no other has had:
 * nothing of an earlier life of either end reaches a later one.
 */

import type { OpenedPorts, PortConnection } from "../../core/ports.ts";
import { showValue } from "../../fields/show_value.ts";
import type { ServiceManifest } from "../../manifest/manifest.ts";

/** What is wrong with a port that the manifest gives. */
export interface PortComplaint {
  /** The service that asks there. */
  readonly service: string;
  /** In words. */
  readonly message: string;
}

/** How connections are made, and who is told of them. */
export interface PortBrokerOptions<End> {
  readonly services: Readonly<Record<string, Pick<ServiceManifest, "ports">>>;
  /** Makes a channel. */
  readonly channel: () => readonly [End, End];
  /** Gives `service` its end of a connection. */
  readonly connect: (
    service: string,
    connection: PortConnection,
    end: End,
  ) => void;
  /** Tells `service` that the other end of a connection has ended. */
  readonly close: (service: string, id: number) => void;
}

/** A port that the manifest gives. */
interface Edge {
  readonly asker: string;
  /** The port's name. */
  readonly name: string;
  readonly answerer: string;
  /** The connection that stands. */
  id?: number | undefined;
}

/** The ports between the services of one system. */
export class PortBroker<End> {
  readonly #options: PortBrokerOptions<End>;
  readonly #edges: readonly Edge[];
  /** What each service that runs has opened. */
  readonly #opened = new Map<string, OpenedPorts>();
  #lastId = 0;

  /** Of services of which none runs yet. */
  constructor(options: PortBrokerOptions<End>) {
    this.#options = options;
    this.#edges = Object.entries(options.services).flatMap(
      ([asker, { ports = {} }]) =>
        Object.entries(ports).map(([name, answerer]) => ({
          asker,
          name,
          answerer,
        })),
    );
  }

  /** A service runs, and has opened these: connects it. Returns what cannot be connected. */
  up(service: string, opened: OpenedPorts): PortComplaint[] {
    this.down(service);
    this.#opened.set(service, opened);
    return this.#edges.flatMap((edge) => {
      const { asker, answerer } = edge;
      if (asker !== service && answerer !== service) return [];
      const message = this.#connect(edge);
      return message === undefined ? [] : [{ service: asker, message }];
    });
  }

  /** A service has ended: takes it from those that it was connected with. */
  down(service: string): void {
    this.#opened.delete(service);
    for (const edge of this.#edges) {
      const { asker, answerer, id } = edge;
      if (id === undefined) continue;
      if (asker !== service && answerer !== service) continue;
      edge.id = undefined;
      this.#options.close(asker === service ? answerer : asker, id);
    }
  }

  /** Who is connected with whom: the service at the other end of each port of `service`. */
  connected(service: string): readonly PortConnection[] {
    return this.#edges.flatMap((edge): PortConnection[] => {
      const { asker, answerer, name, id } = edge;
      if (id === undefined) return [];
      if (asker === service) return [{ id, side: "ask", name, peer: answerer }];
      if (answerer !== service) return [];
      const of = this.#answeredAs(edge)!;
      return [{ id, side: "answer", name: of, peer: asker }];
    });
  }

  /** The name of the interface that `edge` asks by, where its answerer has it. */
  #answeredAs({ asker, name, answerer }: Edge): string | undefined {
    const text = this.#opened.get(asker)!.asks[name];
    const found = Object.entries(this.#opened.get(answerer)!.answers)
      .find(([, one]) => one === text);
    return found?.[0];
  }

  /** Connects both ends if they run. Returns what is wrong. */
  #connect(edge: Edge): string | undefined {
    const { asker, name, answerer } = edge;
    const asks = this.#opened.get(asker)?.asks;
    if (asks === undefined) return undefined;
    if (!Object.hasOwn(asks, name)) {
      return `the manifest gives it a port ${
        showValue(name)
      }, and it has opened ${namesOf(asks)}`;
    }
    const answers = this.#opened.get(answerer)?.answers;
    if (answers === undefined) return undefined;
    const of = this.#answeredAs(edge);
    if (of === undefined) {
      return `its port ${showValue(name)} is for ${
        asks[name]
      }, and service ${answerer} answers ${
        Object.values(answers).join("; ") || "nothing"
      }`;
    }
    edge.id = ++this.#lastId;
    const { connect, channel } = this.#options;
    const [asking, answering] = channel();
    const { id } = edge;
    connect(answerer, { id, side: "answer", name: of, peer: asker }, answering);
    connect(asker, { id, side: "ask", name, peer: answerer }, asking);
    return undefined;
  }
}

function namesOf(asks: OpenedPorts["asks"]): string {
  const names = Object.keys(asks).map(showValue);
  return names.length === 0 ? "none" : names.join(", ");
}
