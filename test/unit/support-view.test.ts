import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decide } from '../../shared/access/decide.ts';
import type { Asking } from '../../shared/access/question.ts';
import { parseScopes } from '../../shared/access/scopes.ts';
import { administrative } from '../../shared/access/support.ts';
import { forSupport, hidesParameter, pronounsUrl, supportView } from '../../shared/access/support-view.ts';
import type { Resource } from '../../shared/fhir/resource.ts';
import { recordTypes } from '../../shared/record-types/index.ts';
import { isDirectory, subjectOf } from '../../shared/record-types/subjects.ts';
import { type ModelSupporter, maySupport, supported, supporter } from '../support/access-model/support.ts';

const self = 'Practitioner/self';

/** Words that stand where support is to see nothing, each of its own, so that a leak tells where it comes from. */
const words = fc.stringMatching(/^hush[0-9]{6}$/);
/** Anything that JSON can say, with such words in it and names of elements that are shown elsewhere. */
const anything = fc.letrec((tie) => ({
  value: fc.oneof({ maxDepth: 4 }, words, fc.integer(), fc.boolean(), tie('list'), tie('object')),
  list: fc.array(tie('value'), { maxLength: 3 }),
  object: fc.dictionary(
    fc.constantFrom(
      'text',
      'value',
      'display',
      'extension',
      'url',
      'valueString',
      'coding',
      'code',
      'family',
      'actor',
      '_start',
      'contentString',
      'reference',
      'id',
    ),
    tie('value'),
    { maxKeys: 4 },
  ),
})).object;

/** Elements of the types that no view names, whatever they hold, and extensions of primitives. */
const hiddenElements: Readonly<Record<string, readonly string[]>> = {
  Patient: [
    'text',
    'contained',
    'identifier',
    'gender',
    'deceasedBoolean',
    'maritalStatus',
    'contact',
    'generalPractitioner',
    'link',
    'photo',
    '_birthDate',
    'modifierExtension',
    'managingOrganization',
  ],
  Appointment: [
    'text',
    'contained',
    'identifier',
    'cancelationReason',
    'serviceCategory',
    'serviceType',
    'specialty',
    'appointmentType',
    'reasonCode',
    'reasonReference',
    'description',
    'supportingInformation',
    'slot',
    'comment',
    'basedOn',
    '_start',
    'modifierExtension',
  ],
  Communication: [
    'text',
    'contained',
    'identifier',
    'basedOn',
    'partOf',
    'statusReason',
    'medium',
    'topic',
    'about',
    'encounter',
    'reasonCode',
    'reasonReference',
    'note',
    '_sent',
  ],
  Task: [
    'text',
    'contained',
    'identifier',
    'statusReason',
    'businessStatus',
    'reasonCode',
    'reasonReference',
    'insurance',
    'note',
    'input',
    'output',
    'requester',
    'location',
    'encounter',
    '_description',
    'extension',
  ],
};
const typeNames = Object.keys(hiddenElements);

/** A record that support may see, with anything in all elements that are not shown. */
const hiding = fc.constantFrom(...typeNames).chain((resourceType) =>
  fc.record({
    resourceType: fc.constant(resourceType),
    ...Object.fromEntries((hiddenElements[resourceType] ?? []).map((element) => [element, fc.option(anything)])),
    ...(resourceType === 'Communication'
      ? { category: fc.constant([{ coding: [administrative], text: 'hush000000' }]) }
      : {}),
    ...(resourceType === 'Task'
      ? { owner: fc.constant({ reference: self, display: 'hush000001' }), description: words }
      : {}),
    ...(resourceType === 'Appointment'
      ? {
          participant: fc.constant([
            {
              actor: { reference: 'Patient/1', display: 'hush000002' },
              type: [{ text: 'hush000003' }],
              status: 'accepted',
            },
            { actor: { reference: 'HealthcareService/hush000004' }, status: 'accepted' },
          ]),
        }
      : {}),
    ...(resourceType === 'Patient'
      ? { name: fc.constant([{ family: 'Shown', extension: [{ url: 'hush000005' }] }]) }
      : {}),
  }),
) as unknown as fc.Arbitrary<Resource>;

describe('what support sees of a record', () => {
  it('is nothing of what is in elements that are not listed', () => {
    fc.assert(
      fc.property(hiding, (resource) => {
        expect(JSON.stringify(forSupport(resource, self))).not.toContain('hush');
      }),
      { numRuns: 1_000 },
    );
  });

  it('depends on what is listed alone', () => {
    fc.assert(
      fc.property(hiding, hiding, (one, other) => {
        const same = { ...one, ...other, resourceType: one.resourceType } as Resource;
        const listed = Object.keys(supportView[one.resourceType] ?? {});
        const mixed = Object.fromEntries(
          Object.entries(same).map(([key, value]) => [key, listed.includes(key) ? (one as never)[key] : value]),
        ) as unknown as Resource;
        expect(forSupport(mixed, self)).toEqual(forSupport(one, self));
      }),
      { numRuns: 300 },
    );
  });

  it('tells how a patient is addressed, by codes, and not who the patient is', () => {
    const coding = [{ system: 'http://loinc.org', code: 'LA29520-6' }];
    const concept = { text: 'hush', coding: [{ ...coding[0], display: 'hush' }] };
    const extension = [
      {
        url: pronounsUrl,
        extension: [
          { url: 'value', valueCodeableConcept: concept },
          { url: 'comment', valueString: 'hush' },
        ],
      },
      { url: pronounsUrl, extension: [{ url: 'value', valueCodeableConcept: { text: 'hush' } }] },
      { url: pronounsUrl, valueString: 'hush' },
      {
        url: 'http://hl7.org/fhir/StructureDefinition/individual-genderIdentity',
        extension: [{ url: 'value', valueCodeableConcept: concept }],
      },
      { url: 'http://hl7.org/fhir/StructureDefinition/patient-genderIdentity', valueCodeableConcept: concept },
      {
        url: 'http://hl7.org/fhir/StructureDefinition/patient-sexParameterForClinicalUse',
        extension: [{ url: 'value', valueCodeableConcept: concept }],
      },
    ];
    const name = [
      { use: 'usual', given: ['Sam'] },
      { use: 'official', given: ['Samira'] },
    ];

    expect(forSupport({ resourceType: 'Patient', name, gender: 'female', extension } as Resource, self)).toEqual({
      resourceType: 'Patient',
      meta: expect.anything(),
      name,
      extension: [{ url: pronounsUrl, extension: [{ url: 'value', valueCodeableConcept: { coding } }] }],
    });
  });

  it('is itself once it is reduced, and never what was given', () => {
    fc.assert(
      fc.property(hiding, (resource) => {
        const before = JSON.stringify(resource);
        const once = forSupport(resource, self);
        expect(forSupport(once, self)).toEqual(once);
        expect(JSON.stringify(resource)).toBe(before);
      }),
      { numRuns: 300 },
    );
  });

  it('is all of a type of which everybody may see all', () => {
    const place = { resourceType: 'Location', name: 'Room' } as unknown as Resource;

    expect(forSupport(place, self)).toBe(place);
  });

  it('can be asked for by id, time and what is listed', () => {
    expect([
      hidesParameter('Patient', '_id'),
      hidesParameter('Patient', 'birthdate'),
      hidesParameter('Patient', 'gender'),
      hidesParameter('Patient', '_tag'),
      hidesParameter('Location', '_tag'),
    ]).toEqual([false, false, true, true, false]);
  });
});

describe('what support may', () => {
  it('is what a model of its own says, of 20,000 callers, records and actions', () => {
    const actions = fc.constantFrom('c', 'r', 'u', 'd', 's');
    let permitted = 0;
    fc.assert(
      fc.property(supporter, supported, actions, fc.boolean(), (who, what, action, reduced) => {
        const { resourceType } = what.resource;
        const type = { name: resourceType, subject: subjectOf(resourceType), directory: isDirectory(resourceType) };
        const whole = what.resource as unknown as Resource;
        // The decision is the same on what is shown of a record as on all of it.
        const resource = reduced ? forSupport(whole, who.fhirUser) : whole;
        const facts = { custodian: what.custodian, chart: what.chart, id: '1', labels: what.labels, resource };
        const { permit } = decide(askingOf(who), action, type, facts as never);
        if (permit) permitted++;
        expect(permit).toBe(maySupport(who, action, what));
      }),
      { numRuns: 20_000 },
    );
    expect(permitted).toBeGreaterThan(500);
  });
  const askingOf = ({ organization, fhirUser, delegated, books, callsOnly, calling }: ModelSupporter): Asking => ({
    caller: {
      subject: 's',
      name: 'n',
      client: 'c',
      organization,
      roles: ['support'],
      scopes: parseScopes('user/*.cruds'),
      fhirUser,
      patient: undefined,
    },
    chart: undefined,
    delegation: delegated
      ? {
          role: 'PractitionerRole/1',
          by: 'Practitioner/a',
          from: 0,
          to: 1,
          ...(callsOnly ? { callsOnly, calling } : {}),
        }
      : undefined,
    booking: books ? true : undefined,
  });

  it('is told of types that there are', () => {
    expect(recordTypes.map(({ name }) => name)).toEqual(expect.arrayContaining(Object.keys(supportView)));
  });
});
