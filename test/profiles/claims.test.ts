import { describe, expect, it } from 'vitest';
import { usCoreProfiles } from '../../shared/fhir/generated/profiles/us-core-names.ts';
import { checkClaims } from '../../shared/profiles/check-claims.lazy.ts';
import { usCoreResources } from '../support/us-core-resources.ts';

const base = 'http://hl7.org/fhir/us/core/StructureDefinition/';
const patientProfile = `${base}us-core-patient`;

const claiming = (profile: string, ...claims: string[]): fhir4.Resource => ({
  ...(usCoreResources[profile] as unknown as fhir4.Resource),
  meta: { profile: claims },
});

/** A patient of whom the profile misses the gender. */
const incomplete = (...claims: string[]): fhir4.Resource => {
  const { gender: _, ...rest } = claiming('us-core-patient', ...claims) as fhir4.Patient;
  return rest;
};

const lenient = (resource: fhir4.Resource) => checkClaims(resource, { strict: false });
const strict = (resource: fhir4.Resource) => checkClaims(resource, { strict: true });
const ofSeverity = async (severity: string, found: ReturnType<typeof lenient>) =>
  (await found).filter((issue) => issue.severity === severity).map(({ expression }) => expression);

describe('a claim', () => {
  it('of a profile with its version binds', async () => {
    expect(await ofSeverity('error', lenient(incomplete(`${patientProfile}|6.1.0`)))).toEqual(['Patient.gender']);
  });

  it('without a version is checked and only warned of', async () => {
    const found = lenient(incomplete(patientProfile));

    expect(await ofSeverity('error', found)).toEqual([]);
    expect(await ofSeverity('warning', found)).toEqual(['Patient.gender']);
  });

  it('without a version binds whoever asks for strict handling', async () => {
    expect(await ofSeverity('error', strict(incomplete(patientProfile)))).toEqual(['Patient.gender']);
  });

  it('of another version, or of a profile that is not known, is warned of, also in strict handling', async () => {
    const resource = incomplete(`${patientProfile}|5.0.1`, `${base}us-core-nothing`, 'http://concord.test/profile|1.0');

    expect(await strict(resource)).toMatchObject([
      { severity: 'warning', code: 'not-supported', expression: 'Patient.meta.profile[0]' },
      { severity: 'warning', code: 'not-supported', expression: 'Patient.meta.profile[1]' },
      { severity: 'warning', code: 'not-supported', expression: 'Patient.meta.profile[2]' },
    ]);
  });

  it('of R4’s own type is met by all that R4 accepts', async () => {
    const own = 'http://hl7.org/fhir/StructureDefinition/Patient';

    expect(await strict(incomplete(own, `${own}|4.0.1`))).toEqual([]);
    expect(await strict(incomplete('http://hl7.org/fhir/StructureDefinition/Observation'))).toMatchObject([
      { severity: 'warning' },
    ]);
  });

  it('of a profile of another type is not met', async () => {
    const found = lenient(incomplete(`${base}us-core-practitioner|6.1.0`, `${base}us-core-race|6.1.0`));

    expect(await ofSeverity('error', found)).toEqual(['Patient.meta.profile[0]', 'Patient.meta.profile[1]']);
  });

  it('binds where it is made with a version and without', async () => {
    const found = lenient(incomplete(patientProfile, `${patientProfile}|6.1.0`, patientProfile));

    expect(await ofSeverity('error', found)).toEqual(['Patient.gender']);
    expect(await ofSeverity('warning', found)).toEqual([]);
  });

  it('is refused beside ten others, and those are checked', async () => {
    const claims = (usCoreProfiles['Observation'] ?? []).slice(0, 11).map((name) => `${base}${name}`);
    const resource = (count: number) => claiming('us-core-bmi', ...claims.slice(0, count));

    expect(await ofSeverity('error', strict(resource(10)))).not.toContain('Observation.meta.profile[10]');
    expect(await ofSeverity('error', strict(resource(11)))).toContain('Observation.meta.profile[10]');
    expect(await ofSeverity('warning', lenient(resource(11)))).toContain('Observation.meta.profile[10]');
  });

  it('is checked beside others', async () => {
    const resource = claiming('us-core-bmi', `${base}us-core-bmi|6.1.0`, `${base}us-core-body-weight|6.1.0`);

    expect(await ofSeverity('error', lenient(resource))).toEqual([
      'Observation.code',
      'Observation.valueQuantity.code',
    ]);
  });

  it('costs nothing where there is none', async () => {
    const { meta: _, ...resource } = incomplete();

    expect(await strict(resource)).toEqual([]);
  });
});

describe('a code', () => {
  const report = (code: fhir4.CodeableConcept) =>
    lenient({ ...claiming('us-core-coverage', `${base}us-core-coverage|6.1.0`), relationship: code } as fhir4.Coverage);
  const relationship = 'http://terminology.hl7.org/CodeSystem/subscriber-relationship';
  const about = async (element: string, found: ReturnType<typeof lenient>) =>
    (await found).filter(({ expression }) => expression === element).map(({ severity }) => severity);

  it('outside an extensible binding is warned of, since another one may be right', async () => {
    const coding = [{ system: relationship, code: 'cousin' }];

    expect(await about('Coverage.relationship', report({ coding }))).toEqual(['warning']);
  });

  it('is in order beside another one, or where a text stands for it', async () => {
    const coding = [
      { system: 'http://concord.test/own', code: '1' },
      { system: relationship, code: 'spouse' },
    ];

    expect(await about('Coverage.relationship', report({ coding }))).toEqual([]);
    expect(await about('Coverage.relationship', report({ text: 'Cousin' }))).toEqual([]);
  });

  it('of a set that is not held is told of as not checked', async () => {
    const resource = claiming('us-core-medication', `${base}us-core-medication|6.1.0`);

    expect(await lenient(resource)).toMatchObject([
      { severity: 'information', code: 'not-supported', expression: 'Medication.code' },
    ]);
  });

  it('of another system than a set draws from is refused, even where its codes are not held', async () => {
    const type = { coding: [{ system: 'http://concord.test/types', code: 'note' }] };
    const resource = { ...claiming('us-core-documentreference', `${base}us-core-documentreference|6.1.0`), type };

    expect(await about('DocumentReference.type', lenient(resource as fhir4.DocumentReference))).toEqual(['error']);
  });

  it('that a set excludes is refused, though the rest of its system is not held', async () => {
    const resource = structuredClone(claiming('us-core-patient', `${patientProfile}|6.1.0`)) as fhir4.Patient;
    const detailed = resource.extension?.[0]?.extension?.[1]?.valueCoding;
    if (detailed) detailed.code = '2106-3'; // of the five categories

    expect(await about('Patient.extension[0].extension[1].valueCoding', lenient(resource))).toEqual(['error']);
  });

  it('of a result should be of SNOMED CT', async () => {
    const { valueQuantity: _, ...lab } = claiming(
      'us-core-observation-lab',
      `${base}us-core-observation-lab|6.1.0`,
    ) as fhir4.Observation;
    const coded = (system: string) =>
      lenient({ ...lab, valueCodeableConcept: { coding: [{ system, code: '1' }] } } as fhir4.Observation);

    expect(await about('Observation.valueCodeableConcept', coded('http://concord.test/own'))).toEqual(['warning']);
    expect(await about('Observation.valueCodeableConcept', coded('http://snomed.info/sct'))).toEqual([]);
  });

  it('of a quantity may be missing where only the largest set is given', async () => {
    const resource = claiming('us-core-medicationdispense', `${base}us-core-medicationdispense|6.1.0`);
    const dispensed = (quantity: fhir4.Quantity) => lenient({ ...resource, quantity } as fhir4.MedicationDispense);

    expect(await about('MedicationDispense.quantity', dispensed({ value: 1, unit: 'box' }))).toEqual([]);
    expect(
      await about('MedicationDispense.quantity', dispensed({ value: 1, system: 'http://concord.test', code: 'box' })),
    ).toEqual(['error']);
  });
});

describe('what is told', () => {
  it('repeats no value of the resource', async () => {
    const secret = 'Xyzzy';
    const resource = {
      resourceType: 'Patient',
      meta: { profile: [`${patientProfile}|6.1.0`, `http://concord.test/${secret}`] },
      identifier: [{ value: secret }],
      name: [{ text: secret }],
      gender: 'female',
      telecom: [{ value: secret }],
      address: [{ state: secret }],
      extension: [
        { url: `${base}us-core-birthsex`, valueCode: secret },
        { url: `${base}us-core-race`, valueString: secret },
      ],
    } as fhir4.Patient;

    const found = await lenient(resource);

    expect(found.length).toBeGreaterThan(6);
    expect(JSON.stringify(found)).not.toContain(secret);
  });

  it('is fifty errors at most, for a resource with a thousand faults', async () => {
    const identifier = Array.from({ length: 1_000 }, () => ({ use: 'old' as const }));
    const resource = { ...claiming('us-core-patient', `${patientProfile}|6.1.0`), identifier } as fhir4.Patient;

    expect(await ofSeverity('error', lenient(resource))).toHaveLength(50);
  });

  it('leaves no error out for the notices before it', async () => {
    const role = [{ coding: [{ system: 'http://snomed.info/sct', code: '17561000' }] }];
    const participant = Array.from({ length: 60 }, () => ({ role, member: { reference: 'Practitioner/1' } }));
    const resource = {
      ...claiming('us-core-careteam', `${base}us-core-careteam|6.1.0`),
      participant: [...participant, { role }],
    } as fhir4.CareTeam;

    const found = lenient(resource);

    expect(await ofSeverity('information', found)).toHaveLength(50);
    expect(await ofSeverity('error', found)).toEqual(['CareTeam.participant[60].member']);
  });

  it('is no more for a claim that is made again and again, nor for thousands of unknown ones', async () => {
    const unknown = Array.from({ length: 5_000 }, (_, index) => `http://concord.test/profile-${index}`);
    const known = Array<string>(5_000).fill(`${patientProfile}|6.1.0`);

    const found = lenient(incomplete(...unknown, ...known));

    expect(await ofSeverity('warning', found)).toHaveLength(50);
    expect(await ofSeverity('error', found)).toEqual(['Patient.gender']);
  });

  it('counts what has only an extension in the place of its value', async () => {
    const reason = [{ url: 'http://hl7.org/fhir/StructureDefinition/data-absent-reason', valueCode: 'unknown' }];
    const resource = { ...incomplete(`${patientProfile}|6.1.0`), _gender: { extension: reason } } as fhir4.Patient;

    expect(await ofSeverity('error', lenient(resource))).toEqual([]);
  });
});
