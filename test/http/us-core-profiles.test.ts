import { beforeAll, describe, expect, it } from 'vitest';
import { importRecords, type Result } from '../../infra/cli/import-records.ts';
import { type KeptProfile, keptGuide } from '../../infra/generate/us-core-profiles.ts';
import { brokenBy, outsideExtensible } from '../support/broken-by-profile.ts';
import { brokenRules, changed } from '../support/broken-us-core-rules.ts';
import { type FhirServer, fhirServer, type TestBody, type TestResponse } from '../support/fhir-server.ts';
import { entriesOf, expressionsIn, issuesOf, system } from '../support/records.ts';
import { storeReferredTo } from '../support/referred-to.ts';
import { usCoreResources } from '../support/us-core-resources.ts';

type Json = Record<string, unknown>;

const base = 'http://hl7.org/fhir/us/core/StructureDefinition/';

/** By profile: the elements that are named where a resource that R4 accepts does not keep its claim. */
const named: Readonly<Record<string, string>> = {
  'head-occipital-frontal-circumference-percentile':
    'category code effectiveInstant subject valueQuantity.code valueQuantity.system valueQuantity.unit valueQuantity.value',
  'pediatric-bmi-for-age':
    'category code effectiveInstant subject valueQuantity.code valueQuantity.system valueQuantity.unit valueQuantity.value',
  'pediatric-weight-for-height':
    'category code effectiveInstant subject valueQuantity.code valueQuantity.system valueQuantity.unit valueQuantity.value',
  'us-core-blood-pressure':
    'category code component component.valueQuantity.code component.valueQuantity.system component.valueQuantity.unit component.valueQuantity.value effectiveInstant subject',
  'us-core-bmi':
    'category code effectiveInstant subject valueQuantity.code valueQuantity.system valueQuantity.unit valueQuantity.value',
  'us-core-body-height':
    'category code effectiveInstant subject valueQuantity.code valueQuantity.system valueQuantity.unit valueQuantity.value',
  'us-core-body-temperature':
    'category code effectiveInstant subject valueQuantity.code valueQuantity.system valueQuantity.unit valueQuantity.value',
  'us-core-body-weight':
    'category code effectiveInstant subject valueQuantity.code valueQuantity.system valueQuantity.unit valueQuantity.value',
  'us-core-head-circumference':
    'category code effectiveInstant subject valueQuantity.code valueQuantity.system valueQuantity.unit valueQuantity.value',
  'us-core-heart-rate':
    'category code effectiveInstant subject valueQuantity.code valueQuantity.system valueQuantity.unit valueQuantity.value',
  'us-core-respiratory-rate':
    'category code effectiveInstant subject valueQuantity.code valueQuantity.system valueQuantity.unit valueQuantity.value',
  'us-core-pulse-oximetry':
    'category code.coding component component.valueQuantity.code component.valueQuantity.system component.valueQuantity.unit component.valueQuantity.value effectiveInstant subject valueQuantity.code valueQuantity.system valueQuantity.unit valueQuantity.value',
  'us-core-vital-signs': 'category effectiveInstant subject',
  'us-core-allergyintolerance': 'code',
  'us-core-careplan': 'category subject',
  'us-core-careteam': 'participant participant.member participant.role subject',
  'us-core-condition-encounter-diagnosis': 'category code extension subject',
  'us-core-condition-problems-health-concerns': 'category code extension subject',
  'us-core-coverage': 'class identifier payor relationship',
  'us-core-diagnosticreport-lab': 'category subject',
  'us-core-diagnosticreport-note': 'category subject',
  'us-core-documentreference': 'category context.encounter subject type',
  'us-core-encounter': 'identifier.system identifier.value subject type',
  'us-core-goal': 'subject',
  'us-core-immunization': '',
  'us-core-implantable-device': 'patient type udiCarrier',
  'us-core-location': 'name',
  'us-core-medication': 'code',
  'us-core-medicationdispense': 'subject',
  'us-core-medicationrequest': 'subject',
  'us-core-observation-clinical-result': 'category subject',
  'us-core-observation-lab': 'category subject',
  'us-core-observation-occupation':
    'category code component component.valueCodeableConcept subject valueCodeableConcept',
  'us-core-observation-pregnancyintent': 'category code effectiveDateTime subject valueCodeableConcept',
  'us-core-observation-pregnancystatus': 'category code effectiveDateTime subject valueCodeableConcept',
  'us-core-observation-screening-assessment': 'category subject',
  'us-core-observation-sexual-orientation': 'code subject',
  'us-core-simple-observation': 'category subject',
  'us-core-smokingstatus': 'category effectiveDateTime subject value',
  'us-core-organization': 'active address.line name',
  'us-core-patient': 'extension gender identifier identifier.system identifier.value name telecom.value',
  'us-core-practitioner': 'address.line identifier identifier.system identifier.value name',
  'us-core-practitionerrole': 'telecom.value',
  'us-core-procedure': 'code subject',
  'us-core-provenance': '',
  'us-core-questionnaireresponse': 'questionnaire.extension subject',
  'us-core-relatedperson': 'active',
  'us-core-servicerequest': 'code subject',
  'us-core-specimen': 'subject type',
};

const profiles = new Map(keptGuide().profiles.map((profile) => [profile.url.slice(base.length), profile]));
const profileOf = (name: string): KeptProfile => {
  const profile = profiles.get(name);
  if (!profile) throw new Error(`no profile ${name}`);
  return profile;
};
const claiming = (name: string, resource: Json = usCoreResources[name] ?? {}): Json => ({
  ...resource,
  meta: { profile: [`${base}${name}|6.1.0`] },
});

let server: FhirServer;
beforeAll(async () => {
  server = await fhirServer();
  await storeReferredTo(server);
});

const as = { as: system };
const withoutIndexes = (expression = ''): string => expression.replaceAll(/\[\d+\]/g, '');
const breaksProfile = (outcome: TestBody): boolean =>
  issuesOf(outcome).some(({ reason }) => reason === 'profile-not-met');

/** Whether an element is named. What tells a slice is missed where the slice should be, and R4 names the address in a reference. */
const isNamed = (expressions: readonly string[], path: string): boolean =>
  expressions.some((each) => each.includes('.') && (`${path}.`.startsWith(`${each}.`) || each === `${path}.reference`));

// Hundreds of requests, on a machine that may be slow.
const slow = 240_000;

describe('a claim of a profile with its version', () => {
  it('is tested for every profile of resources in the guide', () => {
    const ofResources = [...profiles].filter(([, { type }]) => type !== 'Extension').map(([name]) => name);

    expect(Object.keys(named).sort()).toEqual(ofResources.sort());
    expect(ofResources).toHaveLength(49);
  });

  it.each(Object.entries(named))(
    'of %s is accepted where it is met, and refused by the element that is not as it asks: %s',
    async (name, elements) => {
      const { type } = profileOf(name);
      const valid = await server.post(type, claiming(name), as);
      const missed: string[] = [];
      const found = new Set<string>();
      for (const { what, path, resource } of brokenBy(profileOf(name), claiming(name))) {
        const { status, body } = await server.post(type, resource, as);
        const expressions = expressionsIn(body).map(withoutIndexes);
        if (status !== 400 || !isNamed(expressions, path)) missed.push(`${what}: ${status} ${expressions.join(', ')}`);
        if (breaksProfile(body)) for (const each of expressions) found.add(each.slice(type.length + 1));
      }

      expect(valid.status, valid.text).toBe(201);
      expect(missed).toEqual([]);
      expect([...found].sort().join(' ')).toBe(elements);
    },
    slow,
  );
});

/** Whose record it is: an update that changes that is refused for it first. */
const ofPatient = /\.(?:subject|patient)$/;

/** One way to break a profile: if there is one, such that R4 alone would accept it. */
const brokenOf = async (name: string): Promise<Json> => {
  const { type } = profileOf(name);
  const [rule] = brokenRules.filter(([, profile]) => profile === name);
  if (rule) return changed(claiming(name), rule[2], rule[3]);
  const variants = brokenBy(profileOf(name), claiming(name)).filter(({ path }) => !ofPatient.test(path));
  for (const { resource } of variants) {
    if (breaksProfile((await server.post(type, resource, as)).body)) return resource;
  }
  const [ofR4] = variants;
  if (!ofR4) throw new Error(`nothing breaks ${name}`);
  return ofR4.resource;
};

/** Operations of a JSON Patch that make one resource of another. */
const patchTo = (from: Json, to: Json): Json[] =>
  [...new Set([...Object.keys(from), ...Object.keys(to)])]
    .filter((key) => JSON.stringify(from[key]) !== JSON.stringify(to[key]))
    .map((key) =>
      to[key] === undefined ? { op: 'remove', path: `/${key}` } : { op: 'add', path: `/${key}`, value: to[key] },
    );

const bundled = (kind: 'batch' | 'transaction', request: fhir4.BundleEntryRequest, resource: Json) => ({
  resourceType: 'Bundle',
  type: kind,
  entry: [{ resource, request }],
});

const ofEntry = ({ status, body }: TestResponse) => {
  const [entry] = status === 200 ? entriesOf(body) : [];
  const { response } = (entry ?? {}) as unknown as fhir4.BundleEntry;
  return response
    ? { status: Number.parseInt(response.status, 10), outcome: response.outcome as unknown as TestBody }
    : { status, outcome: body };
};
const whole = ({ status, body }: TestResponse) => ({ status, outcome: body });

/** `Patient.name[0]` of what a bundle calls `Bundle.entry[0].resource.name[0]`. */
const withoutEntry = (expression: string, type: string): string =>
  expression.replace(/^Bundle\.entry\[0\]\.resource/, type);

/** Every way to write a record, given one that keeps its claim and what is to become of it. */
const waysToWrite = (type: string, id: string, valid: Json, broken: Json) => {
  const next = { ...broken, id };
  const tagged = `_tag=http://concord.test/ways|${id}`;
  const json = { 'content-type': 'application/json-patch+json' };
  const binary = (patch: unknown) => ({
    resourceType: 'Binary',
    contentType: json['content-type'],
    data: Buffer.from(JSON.stringify(patch)).toString('base64'),
  });
  const patch = patchTo(valid, broken);
  const put = { method: 'PUT', url: `${type}/${id}` } as const;
  const post = { method: 'POST', url: type } as const;
  return {
    create: async () => whole(await server.post(type, broken, as)),
    'conditional create': async () =>
      whole(await server.post(type, broken, { ...as, headers: { 'if-none-exist': tagged } })),
    update: async () => whole(await server.put(`${type}/${id}`, next, as)),
    'update as create': async () =>
      whole(await server.put(`${type}/own-${id.slice(0, 40)}`, { ...broken, id: `own-${id.slice(0, 40)}` }, as)),
    'conditional update': async () => whole(await server.put(`${type}?_id=${id}`, next, as)),
    'conditional update that creates': async () => whole(await server.put(`${type}?${tagged}`, broken, as)),
    patch: async () => whole(await server.request('PATCH', `${type}/${id}`, { ...as, body: patch, headers: json })),
    'conditional patch': async () =>
      whole(await server.request('PATCH', `${type}?_id=${id}`, { ...as, body: patch, headers: json })),
    'create in a batch': async () => ofEntry(await server.post('', bundled('batch', post, broken), as)),
    'update in a batch': async () => ofEntry(await server.post('', bundled('batch', put, next), as)),
    'patch in a batch': async () =>
      ofEntry(await server.post('', bundled('batch', { ...put, method: 'PATCH' }, binary(patch)), as)),
    'create in a transaction': async () => ofEntry(await server.post('', bundled('transaction', post, broken), as)),
    'update in a transaction': async () => ofEntry(await server.post('', bundled('transaction', put, next), as)),
    'patch in a transaction': async () =>
      ofEntry(await server.post('', bundled('transaction', { ...put, method: 'PATCH' }, binary(patch)), as)),
    validation: async () => {
      const { body } = await server.post(`${type}/${id}/$validate`, next, as);
      return { status: 400, outcome: body };
    },
  };
};

describe('a resource that does not keep its claim', () => {
  it.each(Object.keys(named))(
    'of %s is refused by every way to write it, and the record stays as it was',
    async (name) => {
      const { type } = profileOf(name);
      const valid = claiming(name);
      const id = String((await server.post(type, valid, as)).body.id);
      const broken = await brokenOf(name);
      const first = issuesOf((await server.post(type, broken, as)).body);
      const answers: [string, number, string][] = [];
      for (const [way, write] of Object.entries(waysToWrite(type, id, valid, broken))) {
        const { status, outcome } = await write();
        const issues = issuesOf(outcome).map(
          ({ reason, expression = '' }) => `${reason} ${withoutEntry(expression, type)}`,
        );
        const isTold = first.every(({ reason, expression }) => issues.includes(`${reason} ${expression}`));
        answers.push([way, status, isTold ? 'tells it' : issues.join(', ')]);
      }

      expect(first).not.toEqual([]);
      expect(answers).toEqual(answers.map(([way]) => [way, 400, 'tells it']));
      expect((await server.get(`${type}/${id}`, as)).body.meta?.versionId).toBe('1');
      expect((await server.get(`${type}/own-${id.slice(0, 40)}`, as)).status).toBe(404);
    },
    slow,
  );

  it(
    'is refused by an import, which tells of each',
    async () => {
      const entries = await Promise.all(
        Object.keys(named).map(async (name) => ({
          place: name,
          entry: {
            resource: (await brokenOf(name)) as unknown as fhir4.FhirResource,
            request: { method: 'POST' as const, url: profileOf(name).type },
          },
        })),
      );
      const results: Result[] = [];
      const post = async (bundle: fhir4.Bundle) => {
        const { status, body } = await server.post('', bundle, as);
        return { status, body: body as unknown };
      };
      const planned = async function* () {
        yield { type: 'batch' as const, entries };
      };

      await importRecords(planned(), post, (some) => results.push(...some));

      expect(results.filter(({ reason }) => reason === undefined)).toEqual([]);
      expect(results.map(({ place }) => place).sort()).toEqual(Object.keys(named).sort());
    },
    slow,
  );
});

describe('a rule between elements of a profile', () => {
  it.each(brokenRules)('%s of %s is refused when broken by %s', async (key, name, path, value, expression) => {
    const { status, body } = await server.post(profileOf(name).type, changed(claiming(name), path, value), as);

    expect(status).toBe(400);
    expect(issuesOf(body)).toContainEqual({
      code: 'invariant',
      reason: 'profile-not-met',
      text: expect.stringMatching(`^${key}:`) as string,
      expression,
    });
  });
});

/** All that is told of a create, which succeeds. */
const told = async (name: string, resource: Json) => {
  const headers = { prefer: 'return=OperationOutcome' };
  const { status, text, body } = await server.post(profileOf(name).type, claiming(name, resource), { ...as, headers });
  expect(status, text).toBe(201);
  return (body as unknown as fhir4.OperationOutcome).issue.map(({ severity, code, expression }) =>
    [severity, code, expression?.[0]].join(' '),
  );
};

describe('an extensible binding', () => {
  const bound = Object.keys(named).map((name) => [name, outsideExtensible(profileOf(name), claiming(name))] as const);

  it.each(bound.filter(([, variants]) => variants.length > 0))(
    'of %s warns of each code outside of it, or tells that it could not be checked',
    async (name, variants) => {
      const silent: string[] = [];
      for (const { what, path, resource } of variants) {
        const issues = await told(name, resource);
        const about = issues.filter((issue) => withoutIndexes(issue).endsWith(` ${path}`));
        if (!about.some((issue) => /^(?:warning code-invalid|information not-supported) /.test(issue)))
          silent.push(`${what}: ${issues.join(', ')}`);
      }

      expect(silent).toEqual([]);
    },
    slow,
  );

  it('is tested at 39 elements of 30 profiles', () => {
    const tested = bound.filter(([, variants]) => variants.length > 0);

    expect([tested.length, tested.flatMap(([, variants]) => variants).length]).toEqual([30, 39]);
  });
});

describe('what a profile asks without refusing', () => {
  const coverage = usCoreResources['us-core-coverage'] ?? {};
  const patient = usCoreResources['us-core-patient'] ?? {};
  const unknown = {
    extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/data-absent-reason', valueCode: 'unknown' }],
  };

  it('is a code of an extensible binding, whose absence is warned of', async () => {
    const relationship = {
      coding: [{ system: 'http://terminology.hl7.org/CodeSystem/subscriber-relationship', code: 'cousin' }],
    };

    expect(await told('us-core-coverage', { ...coverage, relationship })).toContain(
      'warning code-invalid Coverage.relationship',
    );
    const { headers } = await server.post('Coverage', claiming('us-core-coverage', { ...coverage, relationship }), as);
    expect(headers['x-fhir-request-validation']).toContain('Coverage.relationship');
  });

  it('is a code that could not be looked up: that is told, and never taken for one that is right', async () => {
    const code = { coding: [{ system: 'http://www.nlm.nih.gov/research/umls/rxnorm', code: 'not-a-drug' }] };

    expect(await told('us-core-medication', { ...usCoreResources['us-core-medication'], code })).toContain(
      'information not-supported Medication.code',
    );
  });

  it('is an element that must be supported and is not there', async () => {
    const { telecom: _t, address: _a, communication: _c, extension: _e, birthDate: _b, ...least } = patient;

    expect(await told('us-core-patient', least)).toEqual(['information informational ']);
  });

  it('is an element whose value is not known, with an extension in its place', async () => {
    const { gender: _, ...rest } = patient;

    expect(
      (await told('us-core-patient', { ...rest, _gender: unknown })).filter((each) => each.endsWith('gender')),
    ).toEqual([]);
    expect((await server.post('Patient', claiming('us-core-patient', rest), as)).status).toBe(400);
  });
});

describe('an extension of US Core', () => {
  const patient = usCoreResources['us-core-patient'] ?? {};
  const extensions = (patient['extension'] ?? []) as Json[];

  it.each(['us-core-race', 'us-core-ethnicity', 'us-core-birthsex', 'us-core-sex'])(
    '%s has to be as its own profile asks',
    async (name) => {
      const extension = extensions.map((each) =>
        each['url'] === `${base}${name}` ? { url: each['url'], valueString: 'none' } : each,
      );

      const { status, body } = await server.post('Patient', claiming('us-core-patient', { ...patient, extension }), as);

      const at = extensions.findIndex(({ url }) => url === `${base}${name}`);
      expect([status, at >= 0]).toEqual([400, true]);
      expect(expressionsIn(body).every((each) => each?.startsWith(`Patient.extension[${at}]`))).toBe(true);
    },
  );

  it('that no profile names has to be as its own profile asks, wherever it stands', async () => {
    const practitioner = usCoreResources['us-core-practitioner'] ?? {};
    const marked = (value: Json) => ({
      ...practitioner,
      telecom: [
        { system: 'email', value: 'ann@direct.example', extension: [{ url: `${base}us-core-direct`, ...value }] },
      ],
      _birthDate: { extension: [{ url: `${base}us-core-birthsex`, ...value }] },
    });

    const right = await server.post(
      'Practitioner',
      claiming('us-core-practitioner', { ...marked({ valueBoolean: true }), _birthDate: undefined }),
      as,
    );
    const wrong = await server.post(
      'Practitioner',
      claiming('us-core-practitioner', marked({ valueString: 'no' })),
      as,
    );
    const bare = await server.post('Practitioner', marked({ valueString: 'no' }), as);
    const inside = await server.post(
      'Patient',
      claiming('us-core-patient', {
        ...patient,
        contained: [{ ...marked({ valueString: 'no' }), id: 'own-physician' }],
        generalPractitioner: [{ reference: '#own-physician' }],
      }),
      as,
    );

    expect(right.status, right.text).toBe(201);
    expect(wrong.status).toBe(400);
    expect(new Set(expressionsIn(wrong.body))).toEqual(
      new Set(['Practitioner.telecom[0].extension[0].valueString', 'Practitioner.birthDate.extension[0].valueString']),
    );
    expect([bare.status, inside.status]).toEqual([201, 201]);
  });
});
