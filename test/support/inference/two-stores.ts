import { accessToken, type TestCaller } from '../callers.ts';
import { base, type FhirServer, fhirServer, type TestResponse } from '../fhir-server.ts';
import type { Random } from '../naive-search/random.ts';
import type { Searcher, SearchServer } from '../naive-search/search-server.ts';
import { type StoredRecord, type StoredWorld, writeWorld } from '../naive-search/stored-world.ts';

/** When the worlds are written, and when they are asked: alike in both, whatever was hidden in one of them meanwhile. */
const written = Date.parse('2026-01-01T00:00:00Z');
const asked = Date.parse('2026-02-01T00:00:00Z');

/** A request to one of the stores, with that store's own ids. */
export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

class Store {
  readonly handlers: FhirServer;
  #time = written;

  constructor(handlers: FhirServer) {
    this.handlers = handlers;
  }

  /** As the generator of worlds writes to it. */
  get writer(): SearchServer {
    return {
      baseUrl: base,
      now: () => this.#time,
      ask: async (as: Searcher, method, path, body) => {
        this.#time += 1_000;
        this.handlers.setTime(this.#time);
        return this.handlers.request(method, path, { as, ...(body === undefined ? {} : { body }) });
      },
    };
  }

  async ask(token: string, at: number, { method, path, body, headers }: Asked): Promise<TestResponse> {
    this.handlers.setTime(at);
    return this.handlers.request(method, path, {
      token,
      ...(body === undefined ? {} : { body }),
      ...(headers ? { headers } : {}),
    });
  }
}

const idIn = (place: string): string => place.split('/')[1] ?? '';

/** Ids that the server gives: of a patient, or of a record in a chart, which a search for words has without its point; and escapes, whose digits are no part of one. */
const ids = /%[0-9A-F]{2}|[a-z0-9]{26}(?:\.?[a-z0-9]{26})?/g;

/**
 * Two stores with the same records, the second of which holds others besides, that the callers may not see. Records have one name in both, and ids of their own
 * in each.
 */
export class TwoStores {
  readonly #plain: Store;
  readonly #fuller: Store;
  /** Ids in the fuller store, and those of the same records in the plain one. */
  readonly #twins = new Map<string, string>();
  readonly #names = { plain: new Map<string, string>(), fuller: new Map<string, string>() };
  readonly #tokens = new Map<TestCaller, readonly [plain: string, fuller: string]>();
  #now = asked;
  /** What there is in both, as the fuller one has it. */
  readonly records: readonly StoredRecord[];

  private constructor(plain: Store, fuller: Store, [a, b]: readonly [StoredWorld, StoredWorld]) {
    this.#plain = plain;
    this.#fuller = fuller;
    if (a.places.length !== b.places.length) throw new Error('The two worlds were not written alike');
    a.places.forEach((place, index) => {
      this.#pair(idIn(place), idIn(b.places[index] ?? ''));
    });
    this.records = b.records;
  }

  static async open(random: () => Random, size: { patients: number; chart: number }): Promise<TwoStores> {
    const [plain, fuller] = [new Store(await fhirServer()), new Store(await fhirServer())];
    const worlds = [
      await writeWorld(plain.writer, random(), size),
      await writeWorld(fuller.writer, random(), size),
    ] as const;
    return new TwoStores(plain, fuller, worlds);
  }

  #pair(plain: string, fuller: string): void {
    this.#twins.set(fuller, plain);
    const name = `id-${this.#names.plain.size}`;
    this.#names.plain.set(plain, name);
    this.#names.fuller.set(fuller, name);
  }

  /** Writes into both; what it is to be is given with the ids of the fuller store. */
  async write(as: Searcher, resource: fhir4.FhirResource): Promise<void> {
    const post = { method: 'POST', path: resource.resourceType, body: resource };
    const token = await accessToken(as);
    const plain = await this.#plain.ask(token, written, this.#inPlain(post));
    const fuller = await this.#fuller.ask(token, written, post);
    if (plain.status !== 201 || fuller.status !== 201)
      throw new Error(`${resource.resourceType} was refused: ${fuller.text}`);
    this.#pair((plain.body as { id?: string }).id ?? '', (fuller.body as { id?: string }).id ?? '');
  }

  /** Writes what is hidden, into the fuller store alone. Undefined where a rule refuses it. */
  async hide(as: Searcher, resource: fhir4.FhirResource): Promise<StoredRecord | undefined> {
    const { status, body } = await this.#fuller.ask(await accessToken(as), written, {
      method: 'POST',
      path: resource.resourceType,
      body: resource,
    });
    if (status !== 201) return undefined;
    const stored = body as unknown as StoredRecord['resource'];
    this.#pair(this.#vacant(stored.id), stored.id);
    return { resource: stored, lastUpdated: stored.meta?.lastUpdated ?? '', organization: as.organization };
  }

  /** An id of the plain store that is as good as that of what is hidden in the other, and leads nowhere. */
  #vacant(id: string): string {
    const { ids: own } = this.#plain.handlers.store;
    const [chart, place] = id.split('.');
    return place === undefined ? own.newChart() : own.idAt(this.#twins.get(chart ?? '') ?? '', own.newPlace(written));
  }

  /** A request of the plain store. What only the fuller one holds leads nowhere there. */
  #inPlain(request: Asked): Asked {
    const translated = (text: string) =>
      text.replaceAll(ids, (id) => {
        const twin = this.#twins.get(/^[a-z0-9]{52}$/.test(id) ? `${id.slice(0, 26)}.${id.slice(26)}` : id);
        return twin === undefined ? id : id.includes('.') ? twin : twin.replace('.', '');
      });
    return {
      ...request,
      path: translated(request.path),
      ...(request.headers
        ? { headers: JSON.parse(translated(JSON.stringify(request.headers))) as Record<string, string> }
        : {}),
      ...(request.body === undefined ? {} : { body: JSON.parse(translated(JSON.stringify(request.body))) as unknown }),
    };
  }

  /**
   * Sends a request to both, at the same instant, and follows the links to further pages.
   *
   * @returns what each of them answers, ids and page marks aside.
   */
  async ask(as: TestCaller, request: Asked): Promise<readonly [plain: string, fuller: string]> {
    const [plainToken, fullerToken] = await this.#tokensOf(as);
    if (request.method !== 'GET' && request.method !== 'HEAD') this.#now += 1_000;
    const plain = await this.#answers(this.#plain, plainToken, this.#inPlain(request));
    const fuller = await this.#answers(this.#fuller, fullerToken, request);
    const created = [plain, fuller].map(
      (answers) => /"location":"[^"]*?([a-z0-9.]{26,53})\/_history\/1"/.exec(answers[0] ?? '')?.[1],
    );
    if (created[0] !== undefined && created[1] !== undefined && !this.#twins.has(created[1]))
      this.#pair(created[0], created[1]);
    return [told(plain, this.#names.plain), told(fuller, this.#names.fuller)];
  }

  async #tokensOf(as: TestCaller): Promise<readonly [plain: string, fuller: string]> {
    const { patient } = as;
    const twin = patient === undefined ? as : { ...as, patient: this.#twins.get(patient) ?? patient };
    const tokens = this.#tokens.get(as) ?? ([await accessToken(twin), await accessToken(as)] as const);
    this.#tokens.set(as, tokens);
    return tokens;
  }

  async #answers(store: Store, token: string, request: Asked): Promise<string[]> {
    const answers: string[] = [];
    for (let next: Asked | undefined = request; next && answers.length < mostPages; ) {
      const { status, headers, text } = await store.ask(token, this.#now, next);
      const shown = Object.fromEntries(Object.entries(headers).filter(([name]) => tellingHeaders.has(name)));
      answers.push(JSON.stringify({ status, headers: shown, text }));
      const link = /"relation":"next","url":"([^"]+)"/.exec(text)?.[1];
      next = link === undefined ? undefined : { method: 'GET', path: link };
    }
    return answers;
  }
}

const mostPages = 400;
const tellingHeaders = new Set([
  'etag',
  'last-modified',
  'location',
  'allow',
  'retry-after',
  'content-type',
  'content-location',
]);

/**
 * What answers tell: statuses, headers, how many entries there are on each page, and what stands in all of them. Records with the same date come in the order of
 * their ids, which are random; so entries are compared as a set.
 */
const told = (answers: readonly string[], names: ReadonlyMap<string, string>): string => {
  const named = (text: string) =>
    text
      .replaceAll(ids, (id) => (id.startsWith('%') ? id : (names.get(id) ?? '(unknown)')))
      .replaceAll(/_page=[^"&\\]+/g, '_page=…')
      .replaceAll(/request-\d+/g, 'request')
      .replaceAll(/urn:uuid:[0-9a-f-]{36}/g, 'urn:uuid:…');
  const found = new Map<string, string>();
  const others = new Map<string, string>();
  const pages = answers.map((answer) => {
    const { text, ...rest } = JSON.parse(named(answer)) as { status: number; headers: object; text: string };
    if (!text.startsWith('{')) return { ...rest, text };
    const { entry = [], ...body } = JSON.parse(text) as { entry?: fhir4.BundleEntry[] };
    const [included, matches] = [true, false].map((is) =>
      entry.filter(({ search }) => (search?.mode === 'include') === is),
    );
    for (const each of matches ?? []) found.set(each.fullUrl ?? JSON.stringify(each), JSON.stringify(each));
    for (const each of included ?? []) others.set(each.fullUrl ?? '', JSON.stringify(each));
    return { ...rest, body, matches: matches?.length };
  });
  // What is included with one match may itself be one on another page.
  for (const name of found.keys()) others.delete(name);
  const entries = [...found.values(), ...others.values()];
  return JSON.stringify({ pages, entries: entries.sort() }, null, 1);
};
