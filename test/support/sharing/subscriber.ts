import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { markIn } from './bodies.ts';
import type { Moments } from './clock.ts';
import type { Sighting, Witness } from './laws.ts';
import { type Change, network } from './model.ts';
import { wrongWith } from './standard-webhooks.ts';

/** How an endpoint behaves: as it should, or by refusing, by reading and not answering, or by not being there. */
export type Mode = 'up' | 'refuses' | 'cuts' | 'gone';

/** What is told of one POST. */
export interface Delivery {
  /** Its `webhook-id`. */
  readonly id: string;
  readonly type: string;
  readonly numbers: readonly number[];
  readonly accepted: boolean;
}

const kinds: Readonly<Record<string, Change['kind']>> = { POST: 'created', PUT: 'updated', DELETE: 'deleted' };

/** What came for one Subscription. It believes nothing that is not signed. */
export class Inbox implements Witness {
  readonly name: string;
  readonly recipients: readonly string[];
  readonly types: readonly string[];
  readonly organization: string;
  /** Whether what records say is sent, too. */
  readonly isFull: boolean;
  /** Of the Subscription, once there is one. */
  id = '';
  readonly ordered = true;
  readonly seen: Sighting[] = [];
  /** POSTs in the order in which they came. */
  readonly deliveries: Delivery[] = [];
  readonly faults: string[] = [];
  /** Everything that was posted. */
  readonly texts: string[] = [];
  readonly secret: string;
  readonly #moments: Moments;
  readonly #clock: () => number;
  readonly #notifications = new Map<number, string>();
  /** From when the next POST can have been decided: the last one was over then. */
  #free = 0;

  constructor(options: {
    organization: string;
    type: string;
    content: 'id-only' | 'full-resource';
    secret: string;
    moments: Moments;
    /** Milliseconds since 1970. */
    clock: () => number;
  }) {
    this.name = `webhook of ${options.organization} for ${options.type}`;
    this.recipients = [options.organization, network];
    this.types = [options.type];
    this.organization = options.organization;
    this.isFull = options.content === 'full-resource';
    this.secret = options.secret;
    this.#moments = options.moments;
    this.#clock = options.clock;
  }

  /** Numbers of events that were never accepted, up to the highest one that was. */
  gaps(): number[] {
    const accepted = new Set(this.deliveries.filter((each) => each.accepted).flatMap(({ numbers }) => numbers));
    const highest = Math.max(0, ...accepted);
    return Array.from({ length: highest }, (_, index) => index + 1).filter((number) => !accepted.has(number));
  }

  /** Notes that the last POST was answered, or will not be. */
  over(): void {
    this.#free = this.#moments();
  }

  take(headers: IncomingHttpHeaders, body: string, accepted: boolean): void {
    const to = this.#moments();
    const wrong = wrongWith(this.secret, headers, body, this.#clock());
    if (wrong) this.#tell(wrong);
    this.texts.push(`${JSON.stringify(headers)} ${body}`);
    const bundle = JSON.parse(body) as fhir4.Bundle;
    const id = String(headers['webhook-id']);
    const [status, ...entries] = bundle.entry ?? [];
    const { type, events, last } = toldIn(status?.resource as fhir4.Parameters | undefined);
    if (events.length !== entries.length) this.#tell(`${id} has ${events.length} events and ${entries.length} entries`);
    for (const [index, { number, focus }] of events.entries()) {
      const known = this.#notifications.get(number);
      if (known !== undefined && known !== id) this.#tell(`event ${number} came in ${known} and ${id}`);
      if (number > last) this.#tell(`event ${number} comes behind the last one, ${last}`);
      this.#notifications.set(number, id);
      this.seen.push({
        ...sightingIn(entries[index] ?? {}, focus),
        id: String(number),
        from: this.#free,
        to,
        refused: !accepted,
      });
    }
    const numbers = events.map(({ number }) => number);
    if (numbers.some((number, index) => number <= (numbers[index - 1] ?? 0))) this.#tell(`${id} is out of order`);
    this.deliveries.push({ id, type, numbers, accepted });
  }

  #tell(fault: string): void {
    this.faults.push(`${this.name}: ${fault}`);
  }
}

const sightingIn = ({ fullUrl, request, response, resource }: fhir4.BundleEntry, focus: string) => {
  const name = nameIn(focus);
  const shown = resource as fhir4.FhirResource | undefined;
  return {
    name: fullUrl === focus ? name : `${name} beside ${fullUrl}`,
    version: Number(/^W\/"(\d+)"$/.exec(response?.etag ?? '')?.[1]),
    kind: kinds[request?.method ?? ''] ?? 'updated',
    ...(shown ? { mark: markIn(shown) } : {}),
  };
};

const nameIn = (address: string): string => /([A-Z][A-Za-z]+\/[^/]+)$/.exec(address)?.[1] ?? address;

/** What the status of a notification tells. https://hl7.org/fhir/uv/subscriptions-backport/STU1.1/notifications.html */
const toldIn = (status: fhir4.Parameters | undefined) => {
  const parameters = status?.parameter ?? [];
  const named = (wanted: string) => parameters.find(({ name }) => name === wanted);
  return {
    type: named('type')?.valueCode ?? '',
    last: Number(named('events-since-subscription-start')?.valueString),
    events: parameters
      .filter(({ name }) => name === 'notification-event')
      .map(({ part = [] }) => ({
        number: Number(part.find(({ name }) => name === 'event-number')?.valueString),
        focus: part.find(({ name }) => name === 'focus')?.valueReference?.reference ?? '',
      })),
  };
};

/** The server of a subscriber, on loopback, with an address for each Subscription. */
export class Endpoint {
  readonly inboxes = new Map<string, Inbox>();
  mode: Mode = 'up';
  #server: Server | undefined;
  #port = 0;

  /** The address of an inbox. Known once it is open. */
  address(inbox: string): string {
    return `http://127.0.0.1:${this.#port}/${inbox}`;
  }

  /** Listens, at the same port as before if there was one. */
  async open(): Promise<void> {
    if (this.#server) return;
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { mode } = this;
        const inbox = this.inboxes.get((request.url ?? '').slice(1));
        inbox?.take(request.headers, Buffer.concat(chunks).toString(), mode === 'up');
        if (mode === 'cuts') request.socket.destroy();
        else response.writeHead(mode === 'up' && inbox ? 200 : 500).end();
        inbox?.over();
      });
    });
    server.listen(this.#port, '127.0.0.1');
    await once(server, 'listening');
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  /** Behaves so from now on. */
  async turn(mode: Mode): Promise<void> {
    this.mode = mode;
    if (mode === 'gone') await this.close();
    else await this.open();
  }

  async close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (!server) return;
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  }
}
