import type { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import type { DynamoDBRecord } from 'aws-lambda';
import { matchesPattern } from '../../../infra/local/event-pattern.ts';
import { streamConsumers } from '../../../infra/local/stream-consumers.ts';
import { usualPolicy } from '../../../shared/access/policy.ts';
import { type Publisher, publishChanges } from '../../../shared/changes/publish.ts';
import { tellingBy } from '../../../shared/changes/publisher.ts';
import { deliver } from '../../../shared/delivery/deliver.ts';
import type { Delivery } from '../../../shared/delivery/delivery.ts';
import { setStatus } from '../../../shared/delivery/set-status.ts';
import { documentClient } from '../../../shared/store/document-client.ts';
import { RecordStore } from '../../../shared/store/record-store.ts';
import { notificationsBetween } from '../../../shared/store/subscriptions/notifications.ts';
import type { PostTo } from '../../../shared/webhooks/post.ts';
import { organizationsThere } from '../consents.ts';
import { localTable } from '../dynamodb.ts';
import { streamOf } from '../feed.ts';
import { type FhirServer, fhirServer } from '../fhir-server.ts';
import { recordingBus } from '../recording-bus.ts';
import { BreakingPoint } from './breaking-point.ts';
import { BusWitnesses, type SeenEvent } from './bus-follower.ts';
import { moments } from './clock.ts';
import type { Network } from './judge.ts';
import { Model } from './model.ts';
import { Poller } from './poller.ts';
import { Inbox, type Mode } from './subscriber.ts';
import { subscriptionTo } from './subscriptions.ts';
import { type Api, Traffic } from './traffic.ts';

const organizations = ['northside', 'lakeside', 'hillside'];
const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
/** Longer than a lease, in milliseconds. */
const aWhile = 70_000;
/** Longer than any pause before another attempt, in milliseconds. */
const longPause = 2 * 3_600_000;

/** A Subscription of one type, and how the endpoint behaves that it names. */
export interface Subscribed {
  readonly inbox: Inbox;
  mode: Mode;
}

/**
 * Writers, publisher, deliverer, subscribers and pollers of a small network in one process. Each does a step when it is told to, one after the other, and may be ended half-way: a
 * seed alone decides what happens.
 */
export class SmallNetwork implements Network {
  readonly model = new Model();
  readonly organizations = organizations;
  readonly moments = moments();
  readonly bus = new BusWitnesses(this.moments);
  readonly breaking = new BreakingPoint();
  readonly subscribed: Subscribed[] = [];
  readonly pollers: readonly Poller[];
  readonly traffic: Traffic;
  readonly #server: FhirServer;
  readonly #streamed: () => Promise<DynamoDBRecord[]>;
  /** What the stream has told of, and nobody has published yet. */
  #waiting: DynamoDBRecord[] = [];
  /** Subscriptions that somebody woke, as a queue has them. */
  #woken: string[] = [];
  /** The clock of the server and the deliverer. Milliseconds since 1970. */
  #time = Date.now();

  get inboxes(): Inbox[] {
    return this.subscribed.map(({ inbox }) => inbox);
  }

  /** @param seed - decides what is written. */
  static async open(seed: number, people: number): Promise<SmallNetwork> {
    const table = await localTable();
    const streamed = await streamOf(table);
    const server = await fhirServer(table);
    await organizationsThere(server, organizations);
    await streamed();
    const network = new SmallNetwork(server, streamed, { seed, people, endpoint: table.endpoint });
    for (const poller of network.pollers) await poller.drain();
    return network;
  }

  readonly #endpoint: string;

  private constructor(
    server: FhirServer,
    streamed: () => Promise<DynamoDBRecord[]>,
    { seed, people, endpoint }: { seed: number; people: number; endpoint: string },
  ) {
    this.#server = server;
    this.#streamed = streamed;
    this.#endpoint = endpoint;
    const { model, moments: now } = this;
    const [northside = '', lakeside = '', hillside = ''] = organizations;
    this.traffic = new Traffic({
      api: this.#api,
      model,
      moments: now,
      seed,
      custodians: [northside, lakeside],
      receivers: [northside, lakeside, hillside],
      people,
      consents: 30,
      staged: 0,
    });
    this.pollers = [northside, hillside].map(
      (organization) => new Poller({ api: this.#api, moments: now, organization, pageSize: 7 }),
    );
  }

  readonly #api: Api = async (organization, method, path, body) => {
    this.pass(1);
    const as = { role: 'system', organization };
    const answer = await this.#server.request(method, path, body ? { as, body } : { as });
    return {
      status: answer.status,
      location: answer.headers['location'],
      body: answer.body as unknown as fhir4.FhirResource | undefined,
    };
  };

  /** Subscribes an organisation to changes of a type, and shakes hands. */
  async subscribe(organization: string, type: string, content: 'id-only' | 'full-resource'): Promise<Subscribed> {
    const inbox = new Inbox({
      organization,
      type,
      content,
      secret,
      moments: this.moments,
      clock: () => this.#time,
    });
    const endpoint = `https://${organization}.example/${type}`;
    const by = content === 'id-only' ? 'criteria' : 'topic';
    const subscription = subscriptionTo({ type, by, content, endpoint, maxCount: 5 });
    const answer = await this.#api(organization, 'POST', 'Subscription', subscription);
    if (answer?.status !== 201) throw new Error(`POST Subscription was answered with ${answer?.status}`);
    inbox.id = answer.body?.id ?? '';
    const subscribed: Subscribed = { inbox, mode: 'up' };
    this.subscribed.push(subscribed);
    await this.deliver(subscribed);
    return subscribed;
  }

  /** A process of its own, which may be ended half-way. */
  #store(): RecordStore {
    const { tableName, keys, objects } = this.#server.store;
    return new RecordStore(this.breaking.watch(documentClient({ endpoint: this.#endpoint })), tableName, keys, objects);
  }

  /** Publishes what the stream has to tell, so many of its records at most. Returns whether it came to its end. */
  async publish(most: number): Promise<boolean> {
    const filters = streamConsumers.find(({ name }) => name === 'publish-changes')?.filters ?? [];
    const told = await this.#streamed();
    this.#waiting.push(...told.filter((record) => filters.some((filter) => matchesPattern(filter, record))));
    const batch = this.#waiting.slice(0, most);
    if (batch.length === 0) return true;
    const store = this.#store();
    const { client, accepted } = recordingBus();
    const bus = {
      send: (command: PutEventsCommand) => this.breaking.pass(() => client.send(command)),
    } as unknown as EventBridgeClient;
    const publisher: Publisher = {
      bus,
      busName: 'concord',
      store,
      ...tellingBy(store, { policy: usualPolicy, partners: [] }),
      wake: async (recipients) => {
        await this.breaking.pass(async () => {
          const isFor = ({ organization }: Inbox) => recipients.some((each) => each === '*' || each === organization);
          this.#woken.push(...this.inboxes.filter(isFor).map(({ id }) => id));
        });
      },
    };
    const ended = await this.#unbroken(async () => {
      const { batchItemFailures } = await publishChanges(publisher, { Records: batch }, this.#time);
      if (batchItemFailures.length > 0) throw new Error('a record could not be published');
    });
    this.bus.take(
      accepted.map(
        (entry): SeenEvent => ({
          'detail-type': entry.DetailType ?? '',
          detail: JSON.parse(entry.Detail ?? '{}') as SeenEvent['detail'],
        }),
      ),
    );
    if (ended) this.#waiting = this.#waiting.slice(batch.length);
    return ended;
  }

  /** Gives a Subscription a turn. Returns whether it came to its end: who is ended half-way leaves the lease behind. */
  async deliver({ inbox }: Subscribed): Promise<boolean> {
    const { organization, id } = inbox;
    const store = this.#store();
    const programmes = async () => new Set<string>();
    const delivery: Delivery = {
      store,
      policy: usualPolicy,
      programmes,
      post: this.#post,
      openSecrets: async () => ({ headers: [], signingSecret: inbox.secret }),
      wake: (wakes) => this.breaking.pass(async () => void this.#woken.push(...wakes.map((wake) => wake.id))),
      setStatus: async (settings, status, error) =>
        setStatus(
          { store, policy: usualPolicy, programmes: await programmes(), now: this.#time },
          settings,
          status,
          error,
        ),
      now: () => this.#time,
      random: () => 0.5,
      turnMs: longPause,
    };
    return this.#unbroken(() => deliver(delivery, { organization, id }));
  }

  /** Whether something came to its end, and was not ended half-way. What is done about an error by who is ended, nobody sees. */
  async #unbroken(work: () => Promise<void>): Promise<boolean> {
    await work().catch((error: unknown) => {
      if (!this.breaking.isReached) throw error;
    });
    return !this.breaking.isReached;
  }

  readonly #post: PostTo = async (url, { headers, body }) => {
    const { inbox, mode } = this.#at(url);
    if (mode === 'gone') return { failed: 'connection' };
    inbox.take(headers, body, mode === 'up');
    // Right behind it, it may be too late to hear of the answer.
    return this.breaking.pass(async () => {
      inbox.over();
      if (mode === 'cuts') return { failed: 'connection' };
      return { status: mode === 'up' ? 200 : 500 };
    });
  };

  #at(url: string): Subscribed {
    const found = this.subscribed.find(
      ({ inbox }) => url === `https://${inbox.organization}.example/${inbox.types[0]}`,
    );
    if (!found) throw new Error(`nobody listens at ${url}`);
    return found;
  }

  /** Gives the next Subscription that was woken its turn. Where it is ended half-way, the queue hands it out again. */
  async deliverNext(): Promise<void> {
    const [id] = this.#woken;
    const next = this.subscribed.find(({ inbox }) => inbox.id === id);
    if (next && !(await this.deliver(next))) return;
    this.#woken.shift();
  }

  /** Lets the clock go on, beyond every lease. */
  pass(ms = aWhile): void {
    this.#time += ms;
    this.#server.setTime(this.#time);
  }

  async withheld({ organization, id }: Inbox): Promise<readonly number[]> {
    const kept = await notificationsBetween(this.#server.store, { organization, id }, 0, 1_000_000);
    return kept.flatMap(({ left = [] }) => left);
  }

  /** Lets everything come to its end: whoever was down is up, and nothing is ended any more. */
  async settle(): Promise<void> {
    this.breaking.clear();
    for (const each of this.subscribed) each.mode = 'up';
    do await this.publish(100);
    while (this.#waiting.length > 0);
    this.pass(longPause);
    for (const each of this.subscribed) await this.deliver(each);
    for (const poller of this.pollers) await poller.drain();
  }
}
