import type { Moments } from './clock.ts';
import type { Sighting, Witness } from './laws.ts';
import { type Change, network } from './model.ts';
import type { Api } from './traffic.ts';

const kinds: Readonly<Record<string, Change['kind']>> = { POST: 'created', PUT: 'updated', DELETE: 'deleted' };

/** Who asks an organisation's feed what has changed, and keeps nothing but the address to ask next. */
export class Poller implements Witness {
  readonly name: string;
  readonly organization: string;
  readonly recipients: readonly string[];
  readonly ordered = true;
  readonly seen: Sighting[] = [];
  /** Everything that was answered, for who looks for what must not stand in it. */
  readonly texts: string[] = [];
  readonly #api: Api;
  readonly #moments: Moments;
  #next: string;

  constructor(options: { api: Api; moments: Moments; organization: string; pageSize: number }) {
    this.name = `poller of ${options.organization}`;
    this.#api = options.api;
    this.#moments = options.moments;
    this.organization = options.organization;
    this.recipients = [options.organization, network];
    this.#next = `_changes?_count=${options.pageSize}`;
  }

  /** Asks once. Returns whether there is more now; undefined if no answer came. */
  async ask(): Promise<boolean | undefined> {
    const from = this.#moments();
    const answer = await this.#api(this.organization, 'GET', this.#next);
    const to = this.#moments();
    if (!answer || answer.status >= 500) return undefined;
    const { body } = answer;
    if (answer.status !== 200 || body?.resourceType !== 'Bundle')
      throw new Error(`GET ${this.#next} was answered with ${answer.status} ${JSON.stringify(body)}`);
    this.texts.push(JSON.stringify(body));
    for (const { id = '', fullUrl = '', request, response, resource } of body.entry ?? []) {
      if (resource) throw new Error(`an entry of ${this.#next} has a resource`);
      const name = /[A-Z][A-Za-z]+\/[^/]+$/.exec(fullUrl)?.[0] ?? fullUrl;
      const version = Number(/^W\/"(\d+)"$/.exec(response?.etag ?? '')?.[1]);
      this.seen.push({ name, version, kind: kinds[request?.method ?? ''] ?? 'updated', id, from, to });
    }
    const link = (wanted: string) => body.link?.find(({ relation }) => relation === wanted)?.url;
    const next = link('next');
    this.#next = next ?? link('poll') ?? this.#next;
    return next !== undefined;
  }

  /** Asks until there is no more now. */
  async drain(): Promise<void> {
    while (await this.ask()) {
      // There is more.
    }
  }
}
