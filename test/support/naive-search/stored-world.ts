import type { WorldRecord } from './evaluate.ts';
import type { Random } from './random.ts';
import type { Searcher, SearchServer } from './search-server.ts';
import { templates } from './templates.ts';
import { terminologyResources } from './terminology.ts';
import { type DrawReference, movedDates, vary } from './vary.ts';

/** A record as the server shows it, and who keeps it. */
export interface StoredRecord extends WorldRecord {
  readonly organization: Searcher['organization'];
}

/** How much of it there is. */
export interface WorldSize {
  /** Patients of the first organisation; the other has a third of them. */
  readonly patients: number;
  /** Records of each chart. */
  readonly chart: number;
}

export interface StoredWorld {
  readonly records: readonly StoredRecord[];
  /** `Type/id` of all that was written, also of what was deleted again. */
  readonly places: readonly string[];
  /** What the server did not accept: a variation may break a rule. */
  readonly refused: number;
}

const organizations = ['northside', 'lakeside'] as const;

/** Records that are there already, by type, of an organisation or a chart. */
type Pool = Map<string, string[]>;

const add = (pool: Pool, place: string): void => {
  const [type = ''] = place.split('/');
  pool.set(type, [...(pool.get(type) ?? []), place]);
};

/** Writes a world of records through the API, changes and deletes some, and reads back what is there. */
export const writeWorld = async (server: SearchServer, random: Random, size: WorldSize): Promise<StoredWorld> => {
  const written = new Map<string, Searcher['organization']>();
  let refused = 0;

  const writeAll = async (
    organization: Searcher['organization'],
    resources: readonly fhir4.FhirResource[],
  ): Promise<string[]> => {
    if (resources.length === 0) return [];
    const bundle = {
      resourceType: 'Bundle',
      type: 'batch',
      entry: resources.map((resource) => ({ resource, request: { method: 'POST', url: resource.resourceType } })),
    };
    const { status, body } = await server.ask({ role: 'system', organization }, 'POST', '', bundle);
    if (status !== 200) throw new Error(`a batch was answered with ${status}: ${JSON.stringify(body)}`);
    const { entry = [] } = body as fhir4.Bundle;
    return entry.flatMap(({ response }, index) => {
      const [, place] = /(?:^|\/)([A-Z]\w+\/[\w.-]+)\/_history\/\d+$/.exec(response?.location ?? '') ?? [];
      if (place === undefined) {
        refused++;
        if (process.env['SHOW_REFUSED']) console.log(resources[index]?.resourceType, JSON.stringify(response?.outcome));
        return [];
      }
      written.set(place, organization);
      return [place];
    });
  };

  const order = random.shuffled(templates.chart);
  let at = 0;
  const next = (): fhir4.FhirResource => order[at++ % order.length] as fhir4.FhirResource;
  for (const organization of organizations) {
    const shared: Pool = new Map();
    const drawIn =
      (own: Pool, patient?: string): DrawReference =>
      (type) => {
        if (type === 'Patient' && patient !== undefined && !random.chance(0.03)) return patient;
        const near = own.get(type);
        return random.maybe(near && !random.chance(0.1) ? near : (shared.get(type) ?? []));
      };
    const variations = (
      of: readonly fhir4.FhirResource[],
      draw: DrawReference,
      boldness: number,
    ): fhir4.FhirResource[] => of.map((template) => vary(random, template, draw, server.baseUrl, boldness));

    for (const boldness of [0, 0.5]) {
      for (const template of templates.directory) {
        // one after the other, since each may be part of the one before it
        for (const place of await writeAll(organization, variations([template], drawIn(shared), boldness)))
          add(shared, place);
      }
    }
    for (const place of await writeAll(organization, variations(templates.knowledge, drawIn(shared), 0.1)))
      add(shared, place);

    for (const resource of terminologyResources) {
      const [place] = await writeAll(organization, [resource]);
      if (place === undefined) throw new Error(`${resource.resourceType} was refused`);
    }

    const patients: string[] = [];
    const wanted = organization === 'northside' ? size.patients : Math.ceil(size.patients / 3);
    while (patients.length < wanted) {
      const template = templates.patients[patients.length % templates.patients.length] as fhir4.FhirResource;
      patients.push(...(await writeAll(organization, variations([template], drawIn(shared), 0.6))));
    }
    for (const patient of patients) add(shared, patient);
    for (const patient of patients) {
      const own: Pool = new Map([['Patient', [patient]]]);
      const draw = drawIn(own, patient);
      const wave = 12;
      for (let left = size.chart; left > 0; left -= wave) {
        const drawn = Array.from({ length: Math.min(wave, left) }, next);
        for (const place of await writeAll(organization, variations(drawn, draw, 0.6))) {
          add(own, place);
          add(shared, place);
        }
      }
    }
    const calendar = Array.from({ length: 4 }, () => templates.calendar).flat();
    await writeAll(organization, variations(calendar, drawIn(shared), 0.6));
  }

  await touch(server, random, written);
  for (const [place, organization] of await raisedFrom(server, written)) written.set(place, organization);
  return { records: await readAll(server, written), places: [...written.keys()], refused };
};

/** The tasks and findings that came of what was written. */
const raisedFrom = async (
  server: SearchServer,
  written: ReadonlyMap<string, Searcher['organization']>,
): Promise<[place: string, organization: Searcher['organization']][]> => {
  const raised: [string, Searcher['organization']][] = [];
  for (const organization of organizations) {
    const patients = [...written].filter(([place, owner]) => owner === organization && place.startsWith('Patient/'));
    for (const [patient] of patients) {
      for (const type of ['Task', 'DetectedIssue']) {
        const asked = await server.ask(
          { role: 'system', organization },
          'GET',
          `${type}?patient=${patient}&_count=1000`,
        );
        if (asked.status === 404 || asked.status === 410) continue; // deleted again
        if (asked.status !== 200) throw new Error(`${type} of ${patient} was answered with ${asked.status}`);
        for (const { resource } of (asked.body as fhir4.Bundle).entry ?? []) {
          const place = `${resource?.resourceType}/${resource?.id}`;
          if (resource?.resourceType === type && !written.has(place)) raised.push([place, organization]);
        }
      }
    }
  }
  return raised;
};

/** Updates some records and deletes others, so that rows of earlier versions are around. */
const touch = async (
  server: SearchServer,
  random: Random,
  written: ReadonlyMap<string, Searcher['organization']>,
): Promise<void> => {
  for (const [place, organization] of written) {
    const as: Searcher = { role: 'system', organization };
    if (/^(CodeSystem|ValueSet)\//.test(place)) continue; // others mean what these say
    if (random.chance(0.04))
      await server.ask(as, 'DELETE', place); // refused if something refers to it
    else if (random.chance(0.1)) {
      const { body } = await server.ask(as, 'GET', place);
      const { id } = body as fhir4.FhirResource;
      await server.ask(as, 'PUT', place, { ...movedDates(random, body), id });
    }
  }
};

const readAll = async (
  server: SearchServer,
  written: ReadonlyMap<string, Searcher['organization']>,
): Promise<StoredRecord[]> => {
  const records: StoredRecord[] = [];
  for (const [place, organization] of written) {
    const { status, body } = await server.ask({ role: 'system', organization }, 'GET', place);
    if (status === 410) continue;
    if (status !== 200) throw new Error(`${place} was answered with ${status}`);
    const resource = body as StoredRecord['resource'];
    records.push({ resource, lastUpdated: resource.meta?.lastUpdated ?? '', organization });
  }
  return records;
};
