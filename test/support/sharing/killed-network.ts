import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type KillableConcord, startKillable } from '../kills/killable-concord.ts';
import { openRawTable } from '../kills/raw-table.ts';
import { BusWitnesses, type SeenEvent } from './bus-follower.ts';
import { canariesIn } from './canaries.ts';
import { moments } from './clock.ts';
import type { Network } from './judge.ts';
import { Model } from './model.ts';
import { Poller } from './poller.ts';
import { Endpoint, Inbox } from './subscriber.ts';
import { subscriptionTo, type Wish } from './subscriptions.ts';
import { textsInRow } from './texts-in-rows.ts';
import { type Api, Traffic, type TrafficOptions } from './traffic.ts';

/** A connection to a server that was killed breaks; this is for one that hangs. Milliseconds. */
const answerWithinMs = 60_000;
/** Between two looks at the bus and at a feed, in milliseconds. */
const lookEveryMs = 50;

export interface KilledNetworkOptions extends Pick<TrafficOptions, 'seed' | 'people' | 'consents' | 'staged'> {
  readonly port: number;
  readonly dataDir: string;
  readonly organizations: readonly string[];
}

/** A Concord in processes of its own, whose server is killed and started again; subscribers, pollers and writers live on. */
export class KilledNetwork implements Network {
  readonly model = new Model();
  readonly organizations: readonly string[];
  readonly moments = moments();
  readonly bus = new BusWitnesses(this.moments);
  readonly traffic: Traffic;
  readonly pollers: readonly Poller[];
  readonly endpoints: ReadonlyMap<string, Endpoint>;
  /** All that was printed. */
  readonly logs: string[] = [];
  readonly #options: KilledNetworkOptions;
  readonly #tokens = new Map<string, string>();
  #concord: KillableConcord | undefined;
  #position = 0;
  #over = false;
  #looking: Promise<unknown> = Promise.resolve();

  constructor(options: KilledNetworkOptions) {
    this.#options = options;
    const { organizations } = options;
    this.organizations = organizations;
    const { model, moments: now } = this;
    const who = { custodians: organizations, receivers: organizations };
    this.traffic = new Traffic({ ...options, ...who, api: this.#api, model, moments: now });
    this.pollers = organizations.map(
      (organization) => new Poller({ api: this.#api, moments: now, organization, pageSize: 100 }),
    );
    this.endpoints = new Map(organizations.map((organization) => [organization, new Endpoint()]));
  }

  get inboxes(): Inbox[] {
    return [...this.endpoints.values()].flatMap(({ inboxes }) => [...inboxes.values()]);
  }

  readonly #api: Api = async (organization, method, path, body) => {
    const base = `http://localhost:${this.#options.port}/fhir`;
    try {
      const response = await fetch(path.startsWith('http') ? path : `${base}/${path}`.replace(/\/$/, ''), {
        method,
        headers: {
          authorization: `Bearer ${this.#tokens.get(organization)}`,
          ...(body ? { 'content-type': 'application/fhir+json' } : {}),
        },
        ...(body ? { body: JSON.stringify(body) } : {}),
        signal: AbortSignal.timeout(answerWithinMs),
      });
      const text = await response.text();
      return {
        status: response.status,
        location: response.headers.get('location') ?? undefined,
        body: text === '' ? undefined : (JSON.parse(text) as fhir4.FhirResource),
      };
    } catch {
      return undefined; // nobody answered, and what became of it is not known
    }
  };

  /** Starts the server on what there is. */
  async start(): Promise<void> {
    const { port, dataDir, organizations } = this.#options;
    // All that can be logged is to be looked through.
    this.#concord = await startKillable({ port, dataDir, env: { POWERTOOLS_LOG_LEVEL: 'INFO' } });
    if (!this.#concord) throw new Error('Concord was killed while it started');
    for (const organization of organizations)
      this.#tokens.set(organization, await this.#concord.token(`system@${organization}.example`));
  }

  /** Subscribes an organisation, and waits until hands were shaken. */
  async subscribe({
    organization,
    ...wish
  }: Omit<Wish, 'endpoint' | 'secret'> & { organization: string }): Promise<void> {
    const endpoint = this.endpoints.get(organization);
    if (!endpoint) throw new Error(`${organization} has no endpoint`);
    await endpoint.open();
    const { type, content } = wish;
    const secret = `whsec_${Buffer.from(`${organization} ${type} signs with this`.padEnd(32, '.')).toString('base64')}`;
    const inbox = new Inbox({ organization, type, content, secret, moments: this.moments, clock: Date.now });
    endpoint.inboxes.set(type, inbox);
    const subscription = subscriptionTo({ ...wish, endpoint: endpoint.address(type), secret });
    const answer = await this.#api(organization, 'POST', 'Subscription', subscription);
    if (answer?.status !== 201) throw new Error(`a Subscription was answered with ${JSON.stringify(answer)}`);
    inbox.id = answer.body?.id ?? '';
    for (;;) {
      const { body } = (await this.#api(organization, 'GET', `Subscription/${inbox.id}`)) ?? {};
      const { status } = body as fhir4.Subscription;
      if (status === 'active') return;
      if (status !== 'requested') throw new Error(`a Subscription is ${status}`);
      await pause(lookEveryMs);
    }
  }

  /** Follows the bus and polls the feeds until the end. */
  follow(): void {
    const looks = [() => this.#followBus(), ...this.pollers.map((poller) => () => poller.ask())];
    this.#looking = Promise.all(
      looks.map(async (look) => {
        while (!this.#over) if (!(await look())) await pause(lookEveryMs);
      }),
    );
  }

  /** Takes the next events. Returns whether there may be more. */
  async #followBus(): Promise<boolean> {
    const address = `${this.#concord?.server.events}?after=${this.#position}`;
    const response = await fetch(address).catch(() => undefined);
    const page = (await response?.json().catch(() => undefined)) as
      | { readonly events: readonly { readonly event: SeenEvent }[]; readonly last: number }
      | undefined;
    if (!page) return false;
    this.bus.take(page.events.map(({ event }) => event));
    this.#position = page.last;
    return page.events.length > 0;
  }

  /** Ends the server by `kill -9`, and with it publisher and deliverer. */
  kill(): void {
    this.#concord?.kill(['server']);
  }

  /** Starts it again once all has ended, and finds out what became of the requests that were not answered. */
  async restart(): Promise<{ readonly lost: number; readonly happened: number }> {
    await this.#concord?.leftRunning();
    this.logs.push(this.#concord?.printed() ?? '');
    await this.start();
    return this.traffic.resolve();
  }

  async withheld({ organization, id }: Inbox): Promise<readonly number[]> {
    return this.#rows(({ pk, item }) =>
      pk === `W#${organization}#${id}`
        ? ((item.left as { readonly L?: readonly { readonly N: string }[] } | undefined)?.L ?? []).map(({ N }) =>
            Number(N),
          )
        : [],
    );
  }

  /**
   * Where patients' names, identifiers or free texts stand that have no place there: lines of the log, rows that are neither a chart's nor its index, and what the stand-ins keep of events,
   * queues and positions.
   */
  misplaced(): string[] {
    return [
      ...canariesIn(this.logs.join('\n')).map((canary) => `${canary} stands in the log`),
      ...keptBesides(this.#options.dataDir).flatMap((file) =>
        canariesIn(readFileSync(file, 'utf8')).map((canary) => `${canary} stands in ${path.basename(file)}`),
      ),
      ...this.#rows(({ pk, sk, item }) =>
        ofCharts.some((prefix) => pk.startsWith(prefix))
          ? []
          : canariesIn(`${pk} ${sk} ${textsInRow(item)}`).map((canary) => `${canary} stands in the row ${pk} ${sk}`),
      ),
    ];
  }

  #rows<T>(found: (row: ReturnType<ReturnType<typeof openRawTable>['rowsUnder']>[number]) => readonly T[]): T[] {
    const table = openRawTable(this.#concord?.dataFile ?? '');
    try {
      return table.rowsUnder('').flatMap(found);
    } finally {
      table.close();
    }
  }

  /** Stops what looks and listens, and the server as Ctrl-C does. */
  async stop(): Promise<void> {
    this.#over = true;
    await this.#looking;
    await this.#concord?.stop();
    this.logs.push(this.#concord?.printed() ?? '');
    for (const endpoint of this.endpoints.values()) await endpoint.close();
  }

  /** Ends what runs, in whatever state. */
  abandon(): void {
    this.#over = true;
    this.#concord?.kill(['server', 'keeper', 'store']);
  }
}

/** Files of a data folder that are neither the table nor large bodies. */
const keptBesides = (dataDir: string): string[] =>
  readdirSync(dataDir, { recursive: true, withFileTypes: true })
    .map((each) => path.join(each.parentPath, each.name))
    .filter((file) => statSync(file).isFile() && !/\/(?:dynamodb|objects)\//.test(file.slice(dataDir.length)));

/** Rows that are to hold what patients are called and what is said of them. */
const ofCharts = ['C#', 'X#'];
