import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decide } from '../../shared/access/decide.ts';
import { type DerivedLabels, derivedLabels } from '../../shared/access/derived-labels.ts';
import { agesByJurisdiction, agesOf, kindsOfCare } from '../../shared/access/proxies/ages.ts';
import { isAbout, type Matter } from '../../shared/access/proxies/confidential.ts';
import type { Grant } from '../../shared/access/proxies/grant.ts';
import { concealing, lookThrough } from '../../shared/access/proxies/hidden.ts';
import { keptFrom, keptOfPerson, standingOf } from '../../shared/access/proxies/standing.ts';
import { type Asking, legalBases, type RecordFacts } from '../../shared/access/question.ts';
import { parseScopes } from '../../shared/access/scopes.ts';
import type { Resource } from '../../shared/fhir/resource.ts';
import { factsOfType } from '../../shared/record-types/subjects.ts';
import {
  isKeptByModel,
  keptWithReferences,
  type ModelGrant,
  type ModelJurisdiction,
  type ModelMatter,
  type ModelPatient,
  mayActByModel,
  mayActInMergedByModel,
  shownNumbersByModel,
} from '../support/access-model/proxies.ts';

const day = (first: number, last: number) =>
  fc
    .tuple(fc.integer({ min: first, max: last }), fc.constantFrom('-01-01', '-02-28', '-02-29', '-03-01', '-12-31'))
    .map(([year, rest]) => (rest === '-02-29' && year % 4 !== 0 ? `${year}-03-01` : `${year}${rest}`));
const maybe = <T>(arbitrary: fc.Arbitrary<T>, often = 1) =>
  fc.oneof({ weight: often, arbitrary }, { weight: 1, arbitrary: fc.constant(undefined) });

const patients = fc
  .record({ birthDate: maybe(day(1996, 2026), 8), died: maybe(day(2016, 2030)), emancipated: maybe(day(2018, 2030)) })
  .map(present<ModelPatient>);
const grants = fc
  .record({
    basis: fc.constantFrom(...legalBases),
    granted: day(2012, 2026),
    start: maybe(day(2012, 2028)),
    end: maybe(day(2020, 2032)),
    activated: maybe(day(2016, 2030)),
    isEnded: fc.oneof({ weight: 6, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  })
  .map(present<ModelGrant>);

/** Without what is undefined. */
function present<T>(value: object): T {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as T;
}

const at = (text: string) => Date.parse(text);
const grantOf = ({ basis, granted, start, end, activated, isEnded }: ModelGrant): Grant => {
  const recorded = { at: at(granted), by: 'Practitioner/1', organization: 'northside', evidence: { text: 'seen' } };
  return {
    kind: 'grant',
    proxy: 'RelatedPerson/1',
    basis,
    rights: 'read',
    from: start === undefined ? undefined : at(start),
    until: end === undefined ? undefined : at(end) + 86_400_000,
    activated: activated === undefined ? undefined : at(activated),
    granted: recorded,
    ended: isEnded ? recorded : undefined,
  };
};
const patientOf = ({ birthDate, died }: ModelPatient): fhir4.Patient => ({
  resourceType: 'Patient',
  ...(birthDate ? { birthDate } : {}),
  ...(died ? { deceasedDateTime: died } : {}),
});

const actCode = 'http://terminology.hl7.org/CodeSystem/v3-ActCode';
const labels: Readonly<Record<Exclude<ModelMatter, 'nothing'>, string>> = {
  sexual: `${actCode}|SEX`,
  infection: `${actCode}|HIV`,
  mental: `${actCode}|PSY`,
  substance: `${actCode}|ETH`,
  own: `${actCode}|ADOL`,
  unclear: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality|R',
};
const icd10 = 'http://hl7.org/fhir/sid/icd-10-cm';
const codes: Readonly<Record<Exclude<ModelMatter, 'nothing' | 'unclear'>, string>> = {
  sexual: 'Z30.09',
  infection: 'A56.00',
  mental: 'F32.1',
  substance: 'F10.20',
  own: 'T74.22XA',
};
/** What the set for sharing alone knows, by the name that its code system has in CDA. */
const sharedCodes: Readonly<
  Record<Exclude<ModelMatter, 'nothing' | 'unclear'>, readonly [system: string, code: string]>
> = {
  sexual: ['urn:oid:2.16.840.1.113883.6.96', '17369002'],
  infection: ['urn:oid:2.16.840.1.113883.6.88', '1433868'],
  mental: ['urn:oid:2.16.840.1.113883.6.96', '74732009'],
  substance: ['urn:oid:2.16.840.1.113883.6.88', '6813'],
  own: ['urn:oid:2.16.840.1.113883.6.96', '412732008'],
};
const forms = [
  'labelled',
  'coded',
  'coded as shared',
  'of a programme',
  'naming a part',
  'identifying a part',
] as const;
const part = { system: 'urn:npi', value: '7' };
const derived = derivedLabels(
  { sensitiveCodes: {} },
  new Set(['Organization/programme', 'HealthcareService/part', '?identifier=urn:npi|7']),
);
const nothingDerived: DerivedLabels = () => [];

const matters = fc.constantFrom<ModelMatter>('nothing', 'nothing', 'own', 'unclear', ...kindsOfCare);
const worlds = fc.record({
  records: fc.array(fc.record({ matter: matters, form: fc.constantFrom(...forms) }), { minLength: 3, maxLength: 6 }),
  references: fc.array(fc.tuple(fc.nat(5), fc.nat(5)), { maxLength: 4 }),
  members: fc.array(fc.tuple(fc.nat(5), fc.nat(5)), { maxLength: 2 }),
});

const recordsOf = ({
  records,
  references,
  members,
}: {
  records: { matter: ModelMatter; form: (typeof forms)[number] }[];
  references: [number, number][];
  members: [number, number][];
}) =>
  records.map(({ matter, form }, index) => {
    const coding =
      matter === 'nothing' || matter === 'unclear'
        ? undefined
        : form === 'coded'
          ? ([icd10, codes[matter]] as const)
          : form === 'coded as shared'
            ? sharedCodes[matter]
            : undefined;
    const from = (all: [number, number][]) =>
      all.filter(([each]) => each === index).map(([, to]) => ({ reference: `Observation/${to}` }));
    const [named, parts] = [from(references), from(members)];
    const byProgramme = form === 'of a programme' && matter === 'substance';
    const naming =
      matter !== 'substance'
        ? []
        : form === 'naming a part'
          ? [{ reference: 'https://here.example/fhir/HealthcareService/part' }]
          : form === 'identifying a part'
            ? [{ identifier: part }]
            : [];
    const resource = {
      resourceType: 'Observation',
      ...(coding ? { component: [{ code: { coding: [{ system: coding[0], code: coding[1] }] } }] } : {}),
      // An identifier of its own says nothing.
      identifier: [part],
      ...(naming.length > 0 ? { performer: naming } : {}),
      ...(named.length > 0 ? { derivedFrom: named } : {}),
      ...(parts.length > 0 ? { hasMember: parts } : {}),
    } as unknown as Resource;
    return {
      type: 'Observation',
      id: String(index),
      chart: 'chart',
      custodian: byProgramme ? 'programme' : 'northside',
      labels: matter === 'nothing' || coding || byProgramme || naming.length > 0 ? [] : [labels[matter]],
      resource,
    } satisfies RecordFacts & { type: string };
  });

const asking = (proxy: Asking['proxy'], chart: string | undefined): Asking => ({
  caller: {
    subject: 's',
    name: 'n',
    client: 'c',
    organization: undefined,
    roles: ['patient'],
    scopes: parseScopes('patient/*.cruds'),
    fhirUser: 'RelatedPerson/1',
    patient: '1',
  },
  chart,
  proxy,
});

describe('the decision about who acts for a patient', () => {
  it('agrees with a model of the law as the docs tell it', () => {
    const seen = { refused: 0, shown: 0, kept: 0, byReference: 0, executor: 0, attorney: 0, guardian: 0 };
    fc.assert(
      fc.property(
        grants,
        patients,
        worlds,
        day(2020, 2030),
        fc.constantFrom(...(Object.keys(agesByJurisdiction) as ModelJurisdiction[])),
        (given, patient, world, today, jurisdiction) => {
          const ages = agesOf(jurisdiction);
          const now = at(today);
          const emancipation =
            patient.emancipated === undefined
              ? undefined
              : ({ kind: 'emancipation', since: at(patient.emancipated), recorded: grantOf(given).granted } as const);
          const mayAct = standingOf(grantOf(given), patientOf(patient), emancipation, ages, now) === 'in-force';

          expect(mayAct).toBe(mayActByModel(given, patient, today));
          if (!mayAct) {
            seen.refused++;
            return;
          }
          const records = recordsOf(world);
          const about = { matters: keptFrom(given.basis, patientOf(patient), ages, now), derived };
          const proxy = {
            basis: given.basis,
            mayAct: false,
            ...concealing(about, lookThrough([records], about)),
          };
          // References may lead to what is not there.
          const own = Array.from({ length: 6 }, (_, index) =>
            isKeptByModel(world.records[index]?.matter ?? 'nothing', given, patient, today, jurisdiction),
          );
          const isThere = ([from]: readonly [number, number]) => from < records.length;
          const expected = keptWithReferences(own, world.references.filter(isThere), world.members.filter(isThere));
          for (const [index, record] of records.entries()) {
            const type = factsOfType('Observation');
            const { permit } = decide(asking(proxy, 'chart'), 'r', type, record);
            expect(permit).toBe(!expected[index]);
            expect(proxy.hidesName(`Observation/${index}`)).toBe(!permit);
            expect(decide(asking(proxy, 'chart'), 'u', type, record).permit).toBe(false);
            seen[permit ? 'shown' : 'kept']++;
            if (!permit && !own[index]) seen.byReference++;
          }
          if (given.basis !== 'parent') seen[given.basis]++;
        },
      ),
      { numRuns: 20_000 },
    );
    // The comparison is worth little unless all of it comes up: it does in hundreds of cases each.
    expect(Math.min(...Object.values(seen))).toBeGreaterThan(100);
  });

  it('agrees with that model where charts are merged: a right ends, and something is kept, by what any of them says', () => {
    const seen = { ended: 0, kept: 0, nothing: 0 };
    fc.assert(
      fc.property(
        grants,
        patients,
        fc.array(patients, { maxLength: 2 }),
        day(2020, 2030),
        (given, own, others, today) => {
          const ages = agesOf('US-CA');
          const said = (patient: ModelPatient) => ({
            patient: patientOf(patient),
            emancipation:
              patient.emancipated === undefined
                ? undefined
                : ({ kind: 'emancipation', since: at(patient.emancipated), recorded: grantOf(given).granted } as const),
          });
          const kept = keptOfPerson(grantOf(given), said(own), others.map(said), ages, at(today));

          expect(kept !== undefined).toBe(mayActInMergedByModel(given, own, others, today));
          if (!kept) {
            if (mayActByModel(given, own, today)) seen.ended++;
            return;
          }
          const tell = [own, ...others.filter(({ birthDate }) => birthDate !== undefined)];
          for (const matter of ['own', 'unclear', ...kindsOfCare] as const) {
            const isKept = tell.some((each) => isKeptByModel(matter, given, each, today, 'US-CA'));
            expect([matter, kept.has(matter)]).toEqual([matter, isKept]);
            if (isKept && !isKeptByModel(matter, given, own, today, 'US-CA')) seen.kept++;
          }
          if (kept.size === 0) seen.nothing++;
        },
      ),
      { numRuns: 5_000 },
    );
    expect(Math.min(...Object.values(seen))).toBeGreaterThan(5);
  });

  it('shows the numbers of the patient as a model does', () => {
    const seen = { all: 0, some: 0, none: 0 };
    const numbers = fc.array(
      fc
        .record({ value: fc.uuid(), restriction: maybe(fc.constantFrom('confidential', 'do-not-use'), 3) })
        .map(present),
      { minLength: 1, maxLength: 4 },
    ) as fc.Arbitrary<{ value: string; restriction?: string }[]>;
    const url = 'https://concord.example/fhir/StructureDefinition/contact-restriction';
    fc.assert(
      fc.property(grants, patients, numbers, day(2020, 2030), (given, patient, known, today) => {
        const matters = keptFrom(given.basis, patientOf(patient), agesOf('US-CA'), at(today));
        const about = { matters, derived };
        const shows = matters.size === 0 ? undefined : concealing(about, lookThrough([], about)).shows;
        const record = {
          resourceType: 'Patient',
          telecom: known.map(({ value, restriction }) => ({
            value,
            ...(restriction ? { extension: [{ url, valueCode: restriction }] } : {}),
          })),
        } as unknown as Resource;
        const { telecom = [] } = (shows?.(record) ?? record) as Partial<fhir4.Patient>;
        const expected = shownNumbersByModel(known, given, patient, today, 'US-CA');
        expect(telecom.map(({ value }) => value)).toEqual(expected);
        seen[expected.length === known.length ? 'all' : expected.length === 0 ? 'none' : 'some']++;
      }),
      { numRuns: 3_000 },
    );
    expect(Math.min(...Object.values(seen))).toBeGreaterThan(100);
  });

  it('knows codes and labels of each kind of care, wherever they stand, and no others', () => {
    const all = new Set<Matter>(['own', 'unclear', ...kindsOfCare]);
    const isHidden = (system: string, code: string) =>
      isAbout(all, { labels: [], resource: { item: [{ detail: { coding: [{ system, code }] } }] } });
    expect(isHidden('http://www.ama-assn.org/go/cpt', '87491')).toBe(true);
    expect(isHidden('http://loinc.org', '2106-3')).toBe(true);
    expect(isHidden('http://terminology.hl7.org/CodeSystem/service-type', '67')).toBe(true);
    expect(isHidden(icd10, 'J06.9')).toBe(false);
    expect(isHidden('http://loinc.org', '8867-4')).toBe(false);
    const isClosed = (label: string) => isAbout(all, { labels: [label], resource: {} });
    expect(
      ['N', 'M', 'L', 'U'].some((code) => isClosed(`http://terminology.hl7.org/CodeSystem/v3-Confidentiality|${code}`)),
    ).toBe(false);
    expect(isClosed('http://terminology.hl7.org/CodeSystem/v3-ActReason|TREAT')).toBe(false);
    expect(isClosed('http://example.org/labels|x')).toBe(true);
  });

  it('judges a Consent by the labels that it names', () => {
    const naming = (code: string) => ({
      labels: [],
      resource: { resourceType: 'Consent', provision: { provision: [{ securityLabel: [{ system: actCode, code }] }] } },
    });
    const infection = new Set<Matter>(['infection']);

    expect(isAbout(infection, naming('HIV'))).toBe(true);
    expect(isAbout(infection, naming('PSY'))).toBe(false);
    expect(isAbout(new Set<Matter>(['own', 'unclear', ...kindsOfCare]), naming('OPTIN'))).toBe(false);
  });

  it('opens a Binary by a record that is shown and names it now, and by no other', () => {
    const patient = { chart: 'chart', custodian: 'northside', labels: [] };
    const naming = (id: string, url: string, labelled: readonly string[] = []) => ({
      ...patient,
      type: 'DocumentReference',
      id,
      labels: labelled,
      resource: { resourceType: 'DocumentReference', content: [{ attachment: { url } }] },
    });
    const kept = { matters: new Set<Matter>(['own']), derived: nothingDerived };
    const { hides, hidesName } = concealing(
      kept,
      lookThrough([[naming('1', 'Binary/open'), naming('2', 'Binary/hers', [labels.own])]], kept),
    );
    const isHidden = (id: string) => hides('Binary', { ...patient, id, resource: { resourceType: 'Binary' } });

    expect(['open', 'hers', 'named-no-more'].map(isHidden)).toEqual([false, true, true]);
    expect(['Binary/open', 'Binary/hers', 'Binary/named-no-more'].map(hidesName)).toEqual([false, true, true]);
    // Who knows its name cannot open it by a record of the own.
    expect(hides('Communication', naming('3', 'Binary/named-no-more'))).toBe(true);
    expect(hides('Communication', naming('3', 'Binary/open'))).toBe(false);
  });

  it('hides most where a jurisdiction is not known', () => {
    const toddler: fhir4.Patient = { resourceType: 'Patient', birthDate: '2024-01-01' };

    expect([...keptFrom('parent', toddler, agesOf('elsewhere'), at('2026-01-01'))].sort()).toEqual([
      'infection',
      'mental',
      'own',
      'sexual',
      'substance',
      'unclear',
    ]);
    expect([...keptFrom('parent', toddler, agesOf('cautious'), at('2026-01-01'))]).toEqual(['own']);
  });
});
