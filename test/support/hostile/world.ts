import type { Concord } from '../../../infra/local/concord.ts';
import { encounterBody, identifierSystem, numberedPatient, observationBody } from '../records.ts';

/** What the requests are about: records of a patient, who may ask for them, and links to go on by. */
export interface HostileWorld {
  readonly baseUrl: string;
  readonly tokens: { readonly physician: string; readonly stranger: string };
  readonly patient: string;
  readonly observation: string;
  readonly encounter: string;
  /** An observation that nothing else is about. */
  readonly toDelete: string;
  /** Sealed positions: of the physician's search of observations, of another type, of the history, and of the stranger's. */
  readonly pages: Readonly<Record<'own' | 'ofPatients' | 'ofHistory' | 'ofStranger', string>>;
  /** `Type/id` and version of everything that was written before the first hostile request. */
  readonly written: readonly string[];
}

/** Writes that world. */
export const hostileWorld = async (concord: Concord): Promise<HostileWorld> => {
  const [physician, stranger] = await Promise.all(
    ['northside', 'lakeside'].map((organization) => concord.token(`physician@${organization}.example`)),
  );
  const ask = async (
    token: string | undefined,
    path: string,
    body?: object,
  ): Promise<fhir4.Bundle & { id: string }> => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/fhir+json' };
    const init = body === undefined ? { headers } : { method: 'POST', headers, body: JSON.stringify(body) };
    const response = await fetch(`${concord.url}/${path}`, init);
    const answer = (await response.json()) as fhir4.Bundle & { id: string };
    if (!response.ok) throw new Error(`${path}: ${JSON.stringify(answer)}`);
    return answer;
  };
  const written: string[] = [];
  const create = async (token: string | undefined, body: fhir4.Resource): Promise<string> => {
    const { id } = await ask(token, body.resourceType, body);
    written.push(`${body.resourceType}/${id} 1`);
    return id;
  };
  const patient = await create(
    physician,
    numberedPatient('hostile-1', { name: [{ family: 'Hostile', given: ['Ann'] }] }),
  );
  const encounter = await create(physician, encounterBody(`Patient/${patient}`));
  const toDelete = await create(physician, observationBody(`Patient/${patient}`));
  const observation = await create(
    physician,
    observationBody(`Patient/${patient}`, {
      identifier: [{ system: identifierSystem, value: 'hostile-o' }],
      encounter: { reference: `Encounter/${encounter}` },
    }),
  );
  await create(physician, observationBody(`Patient/${patient}`));
  await create(physician, numberedPatient('hostile-2', { name: [{ family: 'Hostile', given: ['Bo'] }] }));
  for (const number of [3, 4])
    await create(stranger, numberedPatient(`hostile-${number}`, { name: [{ family: 'Hostile', given: ['Cy'] }] }));

  const pageOf = async (token: string | undefined, path: string): Promise<string> => {
    const next = (await ask(token, path)).link?.find(({ relation }) => relation === 'next')?.url;
    const page = new URL(next ?? '', concord.url).searchParams.get('_page');
    if (page === null) throw new Error(`${path} has no second page`);
    return page;
  };
  const updated = await fetch(`${concord.url}/Encounter/${encounter}`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${physician}`, 'content-type': 'application/fhir+json' },
    body: JSON.stringify({ ...encounterBody(`Patient/${patient}`), id: encounter }),
  });
  if (!updated.ok) throw new Error(await updated.text());
  written.push(`Encounter/${encounter} 2`);
  return {
    baseUrl: concord.url,
    tokens: { physician: physician ?? '', stranger: stranger ?? '' },
    patient,
    observation,
    encounter,
    toDelete,
    pages: {
      own: await pageOf(physician, `Observation?patient=${patient}&_count=1`),
      ofPatients: await pageOf(physician, 'Patient?family=Hostile&_count=1'),
      ofHistory: await pageOf(physician, `Encounter/${encounter}/_history?_count=1`),
      ofStranger: await pageOf(stranger, 'Patient?family=Hostile&_count=1'),
    },
    written,
  };
};
