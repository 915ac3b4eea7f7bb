import { markOf } from './marks.ts';

/** What the API shows of a record. */
export interface Shown {
  readonly name: string;
  readonly version: number;
  readonly mark: string | undefined;
}

/** Reads through the API as the application of an organisation. */
export class Reader {
  readonly #url: string;
  readonly #token: string;

  constructor(url: string, token: string) {
    this.#url = url;
    this.#token = token;
  }

  /** One GET, and its status and body. */
  async get(address: string): Promise<{ status: number; body: fhir4.FhirResource }> {
    const response = await fetch(address.startsWith('http') ? address : `${this.#url}/${address}`, {
      headers: { authorization: `Bearer ${this.#token}` },
    });
    return { status: response.status, body: (await response.json()) as fhir4.FhirResource };
  }

  /** The entries of a bundle, from its first page to its last. Throws Error if one is refused. */
  async entries(address: string): Promise<fhir4.BundleEntry[]> {
    const found: fhir4.BundleEntry[] = [];
    for (let next: string | undefined = address; next !== undefined; ) {
      const { status, body } = await this.get(next);
      if (status !== 200 || body.resourceType !== 'Bundle') throw new Error(`GET ${next} was answered with ${status}`);
      found.push(...(body.entry ?? []));
      next = body.link?.find(({ relation }) => relation === 'next')?.url;
    }
    return found;
  }

  /** The records that a search or an operation finds; what they refer to and remarks about the search are left out. */
  async found(address: string): Promise<Shown[]> {
    const entries = await this.entries(address);
    return entries.flatMap(({ resource, search }) =>
      resource === undefined || search?.mode !== 'match' ? [] : [shown(resource as fhir4.FhirResource)],
    );
  }

  /** The current version of a record; undefined if there is none, a deletion without a mark. */
  async current(name: string): Promise<Shown | undefined> {
    const { status, body } = await this.get(name);
    if (status === 200) return shown(body);
    if (status !== 404 && status !== 410) throw new Error(`GET ${name} was answered with ${status}`);
    return status === 404 ? undefined : { name, version: 0, mark: undefined };
  }

  /** All versions of a record, oldest first. */
  async history(name: string): Promise<Shown[]> {
    const entries = await this.entries(`${name}/_history`);
    return entries
      .map(({ resource, response }) => ({
        name,
        version: Number(/\d+/.exec(response?.etag ?? '')?.[0] ?? 0),
        mark: markOf(resource as fhir4.FhirResource | undefined),
      }))
      .reverse();
  }
}

const shown = (resource: fhir4.FhirResource): Shown => ({
  name: `${resource.resourceType}/${resource.id}`,
  version: Number(resource.meta?.versionId ?? 0),
  mark: markOf(resource),
});
