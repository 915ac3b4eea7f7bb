import type { World } from '../naive-search/evaluate.ts';
import { generateSearch } from '../naive-search/generate-search.ts';
import type { Random } from '../naive-search/random.ts';
import type { Searcher } from '../naive-search/search-server.ts';
import type { StoredRecord } from '../naive-search/stored-world.ts';
import type { Asked } from './two-stores.ts';

/** What a request may be about. */
export interface Known {
  /** Whose searches are drawn. */
  readonly searcher: Searcher;
  readonly visible: World;
  /** All there is, hidden records among it. */
  readonly whole: World;
  readonly hidden: readonly StoredRecord[];
  /** Whether references of a write to what is hidden may be tried: who may not read a type learns whether it leads somewhere. */
  readonly mayRefer: boolean;
}

type Place = { readonly type: string; readonly id: string; readonly resource: StoredRecord['resource'] };

const placeOf = ({ resource }: Pick<StoredRecord, 'resource'>): Place => ({
  type: resource.resourceType,
  id: resource.id,
  resource,
});

const searchOf = (random: Random, { searcher, visible, whole }: Known): Asked => {
  const { path, query } = generateSearch(random, searcher, visible, whole);
  return { method: 'GET', path: `${path}?${textOf(query)}` };
};

const textOf = (query: readonly (readonly [string, string])[]): string =>
  query.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&');

/** Draws a request of any kind about something that is hidden, visible, or nowhere. */
export const drawRequest = (random: Random, known: Known): Asked => {
  const { hidden, visible } = known;
  const about = (): Place =>
    placeOf(random.chance(0.6) ? random.of(hidden) : (random.of(visible.records) as StoredRecord));
  const json = { 'content-type': 'application/json-patch+json' };
  const patientOf = ({ resource }: Place) =>
    /"(Patient\/[a-z0-9]{26})"/.exec(JSON.stringify(resource))?.[1] ?? 'Patient/none';
  const kinds: (() => Asked)[] = [
    () => searchOf(random, known),
    () => {
      const { type, id } = about();
      const suffix = random.of([
        '',
        '',
        '/_history',
        '/_history/1',
        '/_history/2',
        '/$meta',
        '?_elements=id',
        '?_summary=true',
      ]);
      return { method: random.of(['GET', 'GET', 'HEAD']), path: `${type}/${id}${suffix}` };
    },
    () => {
      const { type, id } = about();
      return { method: 'GET', path: `${type}/${id}`, headers: { 'if-none-match': `W/"${random.of([1, 2])}"` } };
    },
    () => {
      const patient = patientOf(about());
      return {
        method: 'GET',
        path: random.of([
          `${patient}/$everything?_count=${random.of([2, 10, 100])}`,
          `${patient}/$timeline?_count=${random.of([2, 10, 100])}`,
          `${patient}/$timeline?_type=Condition,Observation&_count=2`,
          `${patient}/*?_count=20`,
          `${patient}/Condition`,
          `Observation/$lastn?patient=${patient}&max=2`,
          `DocumentReference/$docref?patient=${patient}`,
          `Encounter?patient=${patient}&_revinclude=Condition:encounter&_revinclude=Observation:encounter`,
          `Patient?_id=${patient.slice(8)}&_revinclude=Condition:subject&_revinclude=Provenance:target`,
          `Patient?_has:Condition:patient:code=http://snomed.info/sct|&_total=accurate`,
          `Patient?_has:Observation:patient:_id=${about().id}`,
        ]),
      };
    },
    () => {
      const { type, id } = about();
      const criteria = random.of([`_id=${id}`, `_id=${id},${about().id}`, `patient=${patientOf(about())}`]);
      return {
        method: 'GET',
        path: `${type}?${criteria}&_sort=${random.of(['_id', '-_lastUpdated', 'date'])}&_total=accurate`,
      };
    },
    () => {
      const entry = Array.from({ length: 3 }, () => {
        const { type, id } = about();
        return { request: { method: random.of(['GET', 'HEAD', 'DELETE']), url: `${type}/${id}` } };
      });
      return {
        method: 'POST',
        path: '',
        body: { resourceType: 'Bundle', type: random.of(['batch', 'transaction']), entry },
      };
    },
    () => {
      const { resource } = placeOf(random.of(hidden));
      const { name, birthDate, gender } = resource as fhir4.Patient;
      const parameter = [{ name: 'resource', resource: { resourceType: 'Patient', name, birthDate, gender } }];
      return { method: 'POST', path: 'Patient/$match', body: { resourceType: 'Parameters', parameter } };
    },
    () => {
      const { type, id, resource } = about();
      const { id: _, meta: __, ...body } = resource;
      return random.of<() => Asked>([
        () => ({ method: 'PUT', path: `${type}/${id}`, body: { ...body, id } }),
        () => ({ method: 'PUT', path: `${type}/${id}`, body: { ...body, id }, headers: { 'if-match': 'W/"1"' } }),
        () => ({
          method: 'PATCH',
          path: `${type}/${id}`,
          body: [{ op: 'test', path: '/id', value: id }],
          headers: json,
        }),
        () => ({ method: 'DELETE', path: `${type}/${id}` }),
        () => ({ method: 'DELETE', path: `${type}?_id=${id}` }),
        () => ({ method: 'PUT', path: `${type}?_id=${id}`, body }),
        () => ({ method: 'POST', path: type, body, headers: { 'if-none-exist': `_id=${id}` } }),
        () => ({
          method: 'POST',
          path: `${type}/${id}/$validate`,
          body: { resourceType: 'Parameters', parameter: [{ name: 'mode', valueCode: 'delete' }] },
        }),
      ])();
    },
    () => {
      const { type, id } = about();
      const named = { reference: `${type}/${id}` };
      const patient = random.of(visible.records.filter(({ resource }) => resource.resourceType === 'Patient'));
      const body = {
        resourceType: 'Communication',
        status: 'completed',
        subject: { reference: `Patient/${patient?.resource.id}` },
        ...(known.mayRefer ? { about: [named] } : {}),
      };
      return random.chance(0.5)
        ? { method: 'POST', path: 'Communication', body }
        : { method: 'POST', path: 'Communication/$validate', body: { ...body, about: [named] } };
    },
  ];
  return random.chance(0.4) ? searchOf(random, known) : random.of(kinds)();
};
