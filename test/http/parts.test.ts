import { beforeAll, describe, expect, it } from 'vitest';
import { batchOf, getEntry, statusesOf, transactionOf } from '../support/bundles.ts';
import { type FhirServer, fhirServer } from '../support/fhir-server.ts';
import {
  create,
  expressionsIn,
  issuesOf,
  observationBody,
  pathOf,
  patientBody,
  referenceTo,
  resourcesIn,
  type Stored,
} from '../support/records.ts';

// https://hl7.org/fhir/R4/http.html#parameters: a part of a record may be asked for by any request that shows it.

let server: FhirServer;
let observation: Stored<fhir4.Observation>;
beforeAll(async () => {
  server = await fhirServer();
  const patient = referenceTo(await create(server, patientBody()));
  const text = { status: 'generated' as const, div: '<div xmlns="http://www.w3.org/1999/xhtml">72</div>' };
  const tag = [{ system: 'http://concord.test/tags', code: 'kept' }];
  const sent = observationBody(patient, { text, note: [{ text: 'A note' }], meta: { tag } });
  const exact = JSON.stringify(sent).replace('"value":72', '"value":72.50');
  const { body } = await server.post('Observation', exact);
  observation = body as unknown as Stored<fhir4.Observation>;
});

const subsetted = 'SUBSETTED';
const elementsOf = (body: object) =>
  Object.keys(body)
    .filter((name) => !['resourceType', 'id', 'meta'].includes(name))
    .sort();
const tagsOf = (body: object) => ((body as fhir4.Resource).meta?.tag ?? []).map(({ code }) => code);

describe('a part of a record', () => {
  it.each<[query: string, elements: readonly string[]]>([
    ['_summary=true', ['code', 'effectiveDateTime', 'status', 'subject', 'valueQuantity']],
    ['_summary=text', ['code', 'status', 'text']],
    ['_summary=data', ['code', 'effectiveDateTime', 'note', 'status', 'subject', 'valueQuantity']],
    ['_elements=note', ['code', 'note', 'status']],
    ['_elements=Observation.value,subject', ['code', 'status', 'subject', 'valueQuantity']],
    ['_elements=nothing-there', []],
  ])('is what %s asks for, of a read, a version and an entry alike, as a search shows it', async (query, elements) => {
    if (elements.length === 0) {
      const refused = await server.get(`${pathOf(observation)}?${query}`);
      expect([refused.status, expressionsIn(refused.body)]).toEqual([400, ['_elements']]);
      return;
    }
    const found = await server.get(`Observation?_id=${observation.id}&${query}`);
    const batch = await server.post('', batchOf(getEntry(`${pathOf(observation)}?${query}`)));
    const read = await server.get(`${pathOf(observation)}?${query}`);
    const version = await server.get(`${pathOf(observation)}/_history/1?${query}`);

    for (const { status, headers, body } of [read, version]) {
      expect([status, headers.etag]).toEqual([200, 'W/"1"']);
      expect(elementsOf(body)).toEqual(elements);
      expect(tagsOf(body)).toEqual(['kept', subsetted]);
      expect(body.meta?.versionId).toBe('1');
    }
    expect(resourcesIn(found.body)).toEqual([read.body]);
    expect(resourcesIn(batch.body)).toEqual([read.body]);
    if (elements.includes('valueQuantity')) expect(read.text).toContain('"value":72.50');
  });

  it('is the whole, without a mark, where nothing is left out', async () => {
    const { body } = await server.get(`${pathOf(observation)}?_summary=false`);

    expect(body).toEqual(observation);
  });

  it.each([
    ['_summary=count', '_summary'],
    ['_summary=all', '_summary'],
    ['_elements=', '_elements'],
  ])('cannot be asked for by %s', async (query, name) => {
    const { status, body } = await server.get(`${pathOf(observation)}?${query}`);

    expect([status, expressionsIn(body)]).toEqual([400, [name]]);
  });

  it('is known to a client that has the version', async () => {
    const headers = { 'if-none-match': 'W/"1"' };

    expect((await server.get(`${pathOf(observation)}?_summary=true`, { headers })).status).toBe(304);
  });

  it('does not replace the whole, by whatever request', async () => {
    const part = (await server.get(`${pathOf(observation)}?_summary=true`)).body;
    const put = {
      resource: part as unknown as fhir4.Observation,
      request: { method: 'PUT' as const, url: pathOf(part) },
    };

    const alone = await server.put(pathOf(part), part);
    const conditional = await server.put(`Observation?_id=${observation.id}`, part);
    const batch = await server.post('', batchOf(put));
    const transaction = await server.post('', transactionOf(put));

    expect([alone, conditional, transaction].map(({ status }) => status)).toEqual([422, 422, 422]);
    expect(statusesOf(batch.body)).toEqual(['422']);
    expect(issuesOf(alone.body)).toMatchObject([{ reason: 'subsetted', expression: 'Observation.meta.tag' }]);
    expect((await server.get(pathOf(observation))).body).toEqual(observation);
  });

  it('may be stored where that is all there is, and then be changed', async () => {
    const tag = [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue', code: subsetted }];
    const imported = await create(server, patientBody({ meta: { tag } }));

    const changed = await server.put(pathOf(imported), { ...imported, gender: 'other' });
    await server.delete(pathOf(imported));
    const again = await server.put(pathOf(imported), imported);

    expect([changed.status, again.status]).toEqual([200, 201]);
  });
});
