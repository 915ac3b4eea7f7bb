import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { TestCaller } from '../support/callers.ts';
import { type FhirServer, fhirServer, type TestRequest } from '../support/fhir-server.ts';
import {
  admin,
  atOnce,
  create,
  elsewhere,
  entriesOf,
  expressionsIn,
  issuesOf,
  observationBody,
  organizationBody,
  pathOf,
  patientBody,
  referenceTo,
  resourcesIn,
  type Stored,
} from '../support/records.ts';

const privacy: TestCaller = { role: 'privacy' };
const confidentiality = 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality';
const restricted = { system: confidentiality, code: 'R', display: 'restricted' };
const veryRestricted = { system: confidentiality, code: 'V' };
const tag = { system: 'urn:tags', code: 'teaching' };
const profile = 'http://x.example/StructureDefinition/pulse';

let server: FhirServer;
let patient: Stored<fhir4.Patient>;
let record: Stored<fhir4.Observation>;
beforeAll(async () => {
  server = await fhirServer();
  patient = await create(server, patientBody());
});
beforeEach(async () => {
  record = await create(server, observationBody(referenceTo(patient), { meta: { security: [restricted] } }));
});

const parameters = (meta: unknown) => ({ resourceType: 'Parameters', parameter: [{ name: 'meta', valueMeta: meta }] });
const change = (operation: 'add' | 'delete', meta: unknown, options: TestRequest = {}) =>
  server.post(`${pathOf(record)}/$meta-${operation}`, parameters(meta), options);
const metaIn = (body: unknown): fhir4.Meta | undefined => (body as fhir4.Parameters).parameter?.[0]?.valueMeta;
/** How the log tells of operations with labels of the record, the newest first: which, and the outcome. */
const traces = async () => {
  const { body } = await server.get(`AuditEvent?patient=${patient.id}&subtype=operation`, { as: privacy });
  return resourcesIn(body).flatMap((event) => {
    const { outcome, entity = [] } = event as unknown as fhir4.AuditEvent;
    return entity.flatMap(({ query }) => {
      const [type, id, operation] = Buffer.from(query ?? '', 'base64')
        .toString()
        .split('/');
      return `${type}/${id}` === referenceTo(record) ? [`${operation} ${outcome}`] : [];
    });
  });
};
const stored = async () => (await server.get(pathOf(record))).body as unknown as fhir4.Observation;

describe('{type}/{id}/$meta', () => {
  it('answers with the meta that a read shows, of the record and of a version', async () => {
    await change('add', { tag: [tag] });

    const current = await server.get(`${pathOf(record)}/$meta`);
    const first = await server.get(`${pathOf(record)}/_history/1/$meta`);
    const posted = await server.post(`${pathOf(record)}/$meta`, undefined);

    expect(current.body).toEqual({
      resourceType: 'Parameters',
      parameter: [{ name: 'return', valueMeta: (await stored()).meta }],
    });
    expect(metaIn(first.body)).toEqual(record.meta);
    expect([current.headers.etag, posted.body]).toEqual(['W/"2"', current.body]);
  });

  it('is shown to privacy officers of the organisation, who may not see the record', async () => {
    const labels = await server.get(`${pathOf(record)}/$meta`, { as: privacy });

    expect(metaIn(labels.body)?.security).toEqual([restricted]);
    expect((await server.get(pathOf(record), { as: privacy })).status).toBe(403);
    const theirs = { ...privacy, organization: 'lakeside' };
    expect((await server.get(`${pathOf(record)}/$meta`, { as: theirs })).status).toBe(404);
  });

  it('shows privacy officers nothing but the security labels, version and time', async () => {
    const source = 'http://sources.example/clinic';
    const meta = { security: [restricted], tag: [tag], profile: [profile], source };
    record = await create(server, observationBody(referenceTo(patient), { meta }));
    const shown = { versionId: '1', lastUpdated: expect.any(String) as string, security: [restricted] };

    const read = await server.get(`${pathOf(record)}/$meta`, { as: privacy });
    const first = await server.get(`${pathOf(record)}/_history/1/$meta`, { as: privacy });
    const same = await change('add', { security: [restricted] }, { as: privacy });
    const changed = await change('delete', { security: [restricted] }, { as: privacy });

    expect([read, first, same].map(({ body }) => metaIn(body))).toEqual([shown, shown, shown]);
    expect(metaIn(changed.body)).toEqual({ versionId: '2', lastUpdated: expect.any(String) as string });
    expect((await stored()).meta).toMatchObject({ tag: [tag], profile: [profile], source });
  });

  it('answers about a hidden record as about none, 410 about a deleted one, 403 without a right to the type', async () => {
    const hidden = await server.get(`${pathOf(record)}/$meta`, { as: elsewhere });
    const none = await server.get('Observation/none/$meta', { as: elsewhere });
    const forbidden = await server.get(`${pathOf(record)}/$meta`, { as: { role: 'frontdesk' } });
    await server.delete(pathOf(record));
    const gone = await server.get(`${pathOf(record)}/$meta`);

    expect([hidden.status, none.status, forbidden.status, gone.status]).toEqual([404, 404, 403, 410]);
    expect(issuesOf(hidden.body)).toEqual(issuesOf(none.body));
  });

  it('is not kept for whole types', async () => {
    expect((await server.get('Observation/$meta')).status).toBe(404);
  });
});

describe('{type}/{id}/$meta-add', () => {
  it('adds what is not there, in a new version, and answers with all labels', async () => {
    const { status, body, headers } = await change('add', {
      security: [veryRestricted],
      tag: [tag],
      profile: [profile],
    });

    expect(status).toBe(200);
    expect(metaIn(body)).toEqual({
      profile: [profile],
      security: [restricted, veryRestricted],
      tag: [tag],
      versionId: '2',
      lastUpdated: expect.any(String) as string,
    });
    expect(headers.etag).toBe('W/"2"');
    expect((await stored()).meta).toEqual(metaIn(body));
  });

  it('changes nothing else, not even how a number is written', async () => {
    const body = JSON.stringify(observationBody(referenceTo(patient))).replace('"value":72', '"value":72.50');
    const { body: created } = await server.post('Observation', body);

    await server.post(`${pathOf(created)}/$meta-add`, parameters({ tag: [tag] }));

    const { text, body: after } = await server.get(pathOf(created));
    expect(text).toContain('72.50');
    const [own, before] = [after, created].map((body) => ({ ...(body as object), meta: undefined }));
    expect(own).toEqual(before);
  });

  it('makes no version where everything is there: system and code tell, not the display', async () => {
    const { status, body, headers } = await change('add', {
      security: [{ ...restricted, display: 'other', version: '9' }],
    });

    expect([status, headers.etag]).toEqual([200, 'W/"1"']);
    expect(metaIn(body)?.security).toEqual([restricted]);
    expect((await server.get(`${pathOf(record)}/_history`)).body.total).toBe(1);
  });

  it('is found by a search for what was added, and told by the history and the log', async () => {
    await change('add', { tag: [{ system: 'urn:tags', code: `t${record.id.slice(-6)}` }] }, { as: { role: 'nurse' } });

    const found = await server.get(`Observation?patient=${patient.id}&_tag=urn:tags|t${record.id.slice(-6)}`);
    const log = await server.get(`AuditEvent?patient=${patient.id}&subtype=update`, { as: privacy });

    expect(resourcesIn(found.body).map(referenceTo)).toEqual([referenceTo(record)]);
    expect((await server.get(`${pathOf(record)}/_history`)).body.total).toBe(2);
    expect(JSON.stringify(entriesOf(log.body)[0])).toContain(`${referenceTo(record)}/_history/2`);
  });

  it('is for privacy officers too, but security labels alone', async () => {
    const labelled = await change('add', { security: [veryRestricted] }, { as: privacy });
    const tagged = await change('add', { security: [veryRestricted], tag: [tag] }, { as: privacy });

    expect([labelled.status, tagged.status]).toEqual([200, 403]);
    expect((await stored()).meta?.security).toEqual([restricted, veryRestricted]);
    const theirs = await change(
      'add',
      { security: [veryRestricted] },
      { as: { ...privacy, organization: 'lakeside' } },
    );
    expect(theirs.status).toBe(404);
    const narrow = await change('add', { security: [veryRestricted] }, { as: { ...privacy, scope: 'user/*.rs' } });
    expect([narrow.status, issuesOf(narrow.body)[0]?.reason]).toEqual([403, 'forbidden-scope']);
  });

  it('is refused to who may not change the record', async () => {
    const clinic = await create(server, organizationBody(), admin);
    const asOthers = await server.post(`${pathOf(clinic)}/$meta-add`, parameters({ tag: [tag] }), {
      as: { role: 'admin', organization: 'lakeside' },
    });

    expect((await change('add', { tag: [tag] }, { as: { role: 'pharmacist' } })).status).toBe(403);
    expect((await change('add', { tag: [tag] }, { as: { role: 'patient', patient: patient.id } })).status).toBe(403);
    expect((await change('add', { tag: [tag] }, { as: elsewhere })).status).toBe(404);
    expect([asOthers.status, issuesOf(asOthers.body)[0]?.reason]).toEqual([403, 'forbidden-custodian']);
  });

  it('keeps to If-Match', async () => {
    await change('add', { tag: [tag] });

    const old = await change('add', { security: [veryRestricted] }, { headers: { 'if-match': 'W/"1"' } });
    const current = await change('add', { security: [veryRestricted] }, { headers: { 'if-match': 'W/"2"' } });

    expect([old.status, current.status]).toEqual([412, 200]);
  });

  it('loses nothing when several add at once', async () => {
    const codes = ['a', 'b', 'c', 'd'];

    const answers = await atOnce(codes.length, (n) => change('add', { tag: [{ system: 'urn:tags', code: codes[n] }] }));

    expect(answers.map(({ status }) => status)).toEqual(codes.map(() => 200));
    expect((await stored()).meta?.tag?.map(({ code }) => code).sort()).toEqual(codes);
  });

  it('holds the record to a profile of which it claims a version', async () => {
    const claimed = 'http://hl7.org/fhir/us/core/StructureDefinition/us-core-patient|6.1.0';
    const bare = await create(server, { resourceType: 'Patient', gender: 'female' } as fhir4.Patient);

    const { status } = await server.post(`${pathOf(bare)}/$meta-add`, parameters({ profile: [claimed] }));

    expect(status).toBe(400);
    expect((await server.get(pathOf(bare))).body.meta?.versionId).toBe('1');
  });

  it.each<[string, unknown, string]>([
    ['nothing', { resourceType: 'Parameters' }, 'meta'],
    ['no labels', parameters({ versionId: '3' }), 'meta'],
    ['a label without a code', parameters({ tag: [{ system: 'urn:tags' }] }), 'meta'],
    ['an element that labels do not have', parameters({ tags: [tag] }), 'Observation.meta.tags'],
    ['a tag that is no Coding', parameters({ tag: [{ code: 7 }] }), 'Observation.meta.tag[0].code'],
    ['a resource', { resourceType: 'Observation' }, 'resourceType'],
    ['another parameter', { resourceType: 'Parameters', parameter: [{ name: 'tag', valueCoding: tag }] }, 'tag'],
  ])('refuses %s', async (_, body, expression) => {
    const { status, body: outcome } = await server.post(`${pathOf(record)}/$meta-add`, body);

    expect([status, expressionsIn(outcome)]).toEqual([400, [expression]]);
  });

  it.each([
    ['add', { security: [restricted] }],
    ['delete', { security: [veryRestricted] }],
  ] as const)('leaves a trace where $meta-%s changes nothing', async (operation, meta) => {
    expect((await change(operation, meta, { as: privacy })).headers.etag).toBe('W/"1"');

    expect(await traces()).toEqual([`$meta-${operation} 0`]);
  });

  it('leaves a trace that says so where it is refused: hidden, or in another version', async () => {
    const hidden = await change('add', { tag: [tag] }, { as: elsewhere });
    const old = await change('add', { tag: [tag] }, { headers: { 'if-match': 'W/"7"' } });

    expect([hidden.status, old.status]).toEqual([404, 412]);
    expect(await traces()).toEqual(['$meta-add 4', '$meta-add 4']);
  });

  it('costs a read with its trace and a transaction', async () => {
    server.calls.reset();

    await change('add', { tag: [tag] });

    expect([...server.calls.names].sort()).toEqual(['GetItem', 'PutItem', 'TransactWriteItems']);
  });

  it('is not changed by a GET', async () => {
    expect((await server.get(`${pathOf(record)}/$meta-add`)).status).toBe(405);
  });
});

describe('{type}/{id}/$meta-delete', () => {
  it('takes away what is there, by system and code, and makes no fault of what is not', async () => {
    await change('add', { tag: [tag], profile: [profile], security: [veryRestricted] });

    const { status, body } = await change('delete', {
      security: [
        { system: confidentiality, code: 'R' },
        { system: 'urn:other', code: 'V' },
      ],
      profile: [profile],
      tag: [{ system: 'urn:tags', code: 'none' }],
    });

    expect(status).toBe(200);
    expect(metaIn(body)).toMatchObject({ security: [veryRestricted], tag: [tag], versionId: '3' });
    expect(metaIn(body)).not.toHaveProperty('profile');
  });

  it('leaves no empty list, and makes no version where there is nothing to take away', async () => {
    const emptied = await change('delete', { security: [restricted] }, { as: privacy });
    const again = await change('delete', { security: [restricted] }, { as: privacy });

    expect(metaIn(emptied.body)).toEqual({ versionId: '2', lastUpdated: expect.any(String) as string });
    expect(again.headers.etag).toBe('W/"2"');
    const all = await server.get(`Observation?patient=${patient.id}&_security=${confidentiality}|R&_id=${record.id}`);
    expect(entriesOf(all.body)).toEqual([]);
  });
});
