import fc from 'fast-check';
import type { ModelConsent, ModelGrant, ModelReader, ModelRecord } from './consents.ts';
import type { ModelStep } from './relations.ts';

// Consents, readers and records of a small world, in which much meets.

const hl7 = 'http://terminology.hl7.org/CodeSystem/';
export const coding = (system: string, code: string): fhir4.Coding => ({ system: `${hl7}${system}`, code });
export const concept = (system: string, code: string): fhir4.CodeableConcept => ({ coding: [coding(system, code)] });
const own = (code: string): fhir4.CodeableConcept => ({ coding: [{ system: 'http://s', code }] });

/** A concept, one of a range, and what a part of a record says. */
const sensitive = {
  hiv: { coding: [{ system: 'http://snomed.info/sct', code: '86406008' }] },
  opioids: { coding: [{ system: 'http://hl7.org/fhir/sid/icd-10-cm', code: 'F11.20' }] },
  phq9: { coding: [{ system: 'http://loinc.org', code: '44261-6' }] },
};

const times = ['2024-01-01', '2024-03-01T10:00:00Z', '2024-06-01', '2024-06-30T23:59:59Z', '2025-01-01'] as const;
const instants = [
  ...times.map((time) => Date.parse(time)),
  ...times.map((time) => Date.parse(time) - 1),
  Date.parse('2024-06-01T12:00:00Z'),
  Date.parse('2024-06-30T23:59:59Z') + 999,
  Date.parse('2024-06-30T23:59:59Z') + 1_000,
];

const labels = [
  coding('v3-Confidentiality', 'L'),
  coding('v3-Confidentiality', 'N'),
  coding('v3-Confidentiality', 'R'),
  coding('v3-Confidentiality', 'V'),
  coding('v3-ActCode', 'PSY'),
  coding('v3-ActCode', 'ETHUD'),
  coding('v3-ActCode', 'SUD'),
  coding('v3-ActCode', 'COGN'),
  coding('v3-ActCode', 'HIV'),
  coding('v3-ActCode', 'ETH'),
  coding('v3-ActCode', '42CFRPart2'),
];

/** Usually absent, as in most Consents. */
const rarely = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 2 });
const some = <T>(...items: T[]) => fc.subarray(items, { minLength: 1, maxLength: 2 });

const period: fc.Arbitrary<fhir4.Period> = fc
  .record({ start: rarely(fc.constantFrom(...times)), end: rarely(fc.constantFrom(...times)) })
  .map(defined);

const changesIt = [{ url: 'http://s/changes-it', valueBoolean: true }];
/** What may be changed by an extension, and rarely is. */
const modified = <T extends object>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T> =>
  fc
    .tuple(arbitrary, fc.option(fc.constant(changesIt), { nil: undefined, freq: 2 }), fc.nat(3))
    .map(([each, modifierExtension, luck]) =>
      modifierExtension && luck === 0 ? { ...each, modifierExtension } : each,
    );

const actor: fc.Arbitrary<fhir4.ConsentProvisionActor> = fc.record({
  role: fc.constantFrom(
    concept('v3-ParticipationType', 'IRCP'),
    concept('v3-ParticipationType', 'IRCP'),
    concept('v3-ParticipationType', 'PRCP'),
    concept('v3-ParticipationType', 'CST'),
    concept('v3-RoleClass', 'AGNT'),
  ),
  reference: fc.constantFrom(
    { reference: 'Organization/lakeside' },
    { reference: 'Organization/lakeside' },
    { reference: 'Organization/northside' },
    { reference: 'Organization/hillside' },
    { reference: 'Practitioner/reader' },
    { reference: 'CareTeam/1' },
  ),
});

const data: fc.Arbitrary<fhir4.ConsentProvisionData> = fc.record({
  meaning: fc.constantFrom('instance', 'instance', 'dependents', 'related', 'authoredby'),
  reference: fc.constantFrom(
    { reference: 'Observation/1' },
    { reference: 'Condition/1' },
    { reference: 'Encounter/1' },
  ),
});

const conditions = {
  period: period,
  actor: fc.array(modified(actor), { minLength: 1, maxLength: 2 }),
  action: rarely(
    some(
      concept('consentaction', 'access'),
      concept('consentaction', 'disclose'),
      concept('consentaction', 'correct'),
      concept('consentaction', 'use'),
      concept('other', 'access'),
      { coding: [coding('consentaction', 'collect'), coding('consentaction', 'access')] },
      { coding: [coding('consentaction', 'use'), coding('consentaction', 'correct')] },
    ),
  ),
  securityLabel: rarely(
    fc.subarray([...labels, coding('v3-ActCode', 'SPI'), { code: 'R' }], { minLength: 1, maxLength: 3 }),
  ),
  purpose: rarely(
    fc.oneof(
      fc.constant(['TREAT', 'HPAYMT', 'HOPERAT'].map((code) => coding('v3-ActReason', code))),
      some(
        coding('v3-ActReason', 'TREAT'),
        coding('v3-ActReason', 'HPAYMT'),
        coding('v3-ActReason', 'ETREAT'),
        coding('v3-ActReason', 'PurposeOfUse'),
        coding('other', 'TREAT'),
      ),
    ),
  ),
  class: rarely(
    some<fhir4.Coding>(
      { system: 'http://hl7.org/fhir/resource-types', code: 'Observation' },
      { system: 'http://hl7.org/fhir/resource-types', code: 'Condition' },
      { system: 'http://hl7.org/fhir/resource-types', code: 'Resource' },
      { system: 'urn:other', code: 'Observation' },
    ),
  ),
  code: rarely(some<fhir4.CodeableConcept>(own('a'), own('b'), own('c'), { text: 'a' })),
  dataPeriod: period,
  data: fc.array(modified(data), { minLength: 1, maxLength: 2 }),
  modifierExtension: fc.option(fc.constant(changesIt), { nil: undefined, freq: 2 }),
};

/** Few elements at a time: what names all meets nothing. */
const narrowed: fc.Arbitrary<fhir4.ConsentProvision> = fc
  .subarray(Object.keys(conditions) as (keyof typeof conditions)[], { maxLength: 3 })
  .chain((kept) => fc.record(Object.fromEntries(kept.map((name) => [name, conditions[name]]))) as never);

/** A provision with others within it, so many levels deep. */
const provisionOf = (depth: number): fc.Arbitrary<fhir4.ConsentProvision> =>
  fc
    .record({
      own: narrowed,
      type: fc.constantFrom<('permit' | 'deny' | undefined)[]>('permit', 'permit', 'deny', 'deny', undefined),
      nested:
        depth === 0 ? fc.constant<fhir4.ConsentProvision[]>([]) : fc.array(provisionOf(depth - 1), { maxLength: 2 }),
    })
    .map(({ own: named, type, nested }) =>
      defined({ ...named, type, provision: nested.length > 0 ? nested : undefined }),
    );
const provision = provisionOf(2);

function defined<T extends object>(object: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as never;
}

const consent: fc.Arbitrary<fhir4.Consent> = fc
  .record({
    status: fc.constantFrom<fhir4.Consent['status'][]>(
      'active',
      'active',
      'active',
      'active',
      'active',
      'inactive',
      'proposed',
    ),
    scope: fc.constantFrom(
      ...Array.from({ length: 8 }, () => concept('consentscope', 'patient-privacy')),
      concept('consentscope', 'treatment'),
      concept('other', 'patient-privacy'),
      { coding: [coding('consentscope', 'research'), coding('consentscope', 'patient-privacy')] },
    ),
    policyRule: fc.constantFrom(
      ...Array.from({ length: 4 }, () => concept('v3-ActCode', 'OPTIN')),
      concept('v3-ActCode', 'OPTINR'),
      concept('v3-ActCode', 'OPTOUT'),
      concept('v3-ActCode', 'OPTOUTE'),
      concept('consentpolicycodes', 'hipaa-auth'),
      { coding: [{ code: 'OPTOUT' }] },
      undefined,
    ),
    root: fc.option(provision, { nil: undefined }),
    rootType: fc.constantFrom(undefined, undefined, undefined, undefined, 'permit', 'deny'),
  })
  .map(({ root, rootType, ...elements }) =>
    defined({
      resourceType: 'Consent' as const,
      category: [{ text: 'privacy' }],
      ...elements,
      provision: root && defined({ ...root, type: rootType }),
    }),
  ) as fc.Arbitrary<fhir4.Consent>;

export const consents: fc.Arbitrary<ModelConsent[]> = fc.array(
  fc.record({ custodian: fc.constantFrom('northside', 'northside', 'northside', 'hillside'), consent }),
  { minLength: 1, maxLength: 3 },
);

export const reader: fc.Arbitrary<ModelReader> = fc.record({
  organization: fc.constantFrom('lakeside', 'lakeside', 'lakeside', 'hillside'),
  fhirUser: fc.constantFrom('Practitioner/reader', 'Practitioner/other'),
  roles: fc.constantFrom(['physician'], ['nurse'], ['system'], ['frontdesk', 'nurse'], ['lab', 'nurse']),
  now: fc.constantFrom(...instants),
});

const subject = { reference: 'Patient/1' };
const date = fc.constantFrom(...times);
const resources: Readonly<Record<string, fc.Arbitrary<NonNullable<ModelRecord['resource']>>>> = {
  Observation: fc
    .record({
      code: fc.constantFrom(own('a'), own('b'), own('b'), sensitive.hiv, sensitive.opioids),
      component: rarely(fc.constantFrom([{ code: own('c') }], [{ code: own('a') }], [{ code: sensitive.phq9 }])),
      encounter: rarely(
        fc.constantFrom(
          { reference: 'Encounter/1' },
          { reference: 'https://concord.test/fhir/Encounter/1' },
          { reference: 'http://other.test/Encounter/1/_history/2' },
        ),
      ),
      effectiveDateTime: rarely(date),
    })
    .map((elements) =>
      defined({ resourceType: 'Observation' as const, status: 'final' as const, subject, ...elements }),
    ) as never,
  Condition: fc
    .record({
      code: rarely(fc.constantFrom(own('a'), own('c'), sensitive.opioids)),
      onsetDateTime: date,
      abatementDateTime: rarely(date),
    })
    .map((elements) => defined({ resourceType: 'Condition' as const, subject, ...elements })) as never,
  ServiceRequest: fc.record({ authoredOn: date, occurrenceDateTime: rarely(date) }).map((elements) =>
    defined({
      resourceType: 'ServiceRequest' as const,
      status: 'active' as const,
      intent: 'order' as const,
      subject,
      ...elements,
    }),
  ) as never,
  Provenance: fc.constantFrom('Observation/1', 'Consent/1', 'https://other.test/fhir/Consent/1').map((reference) => ({
    resourceType: 'Provenance' as const,
    target: [{ reference: 'Observation/2' }, { reference }],
    recorded: '2024-01-01T00:00:00Z',
    agent: [],
  })),
  AllergyIntolerance: fc.constant({ resourceType: 'AllergyIntolerance', patient: subject, code: own('a') }),
  Patient: fc.constant({ resourceType: 'Patient' }),
  Consent: fc.constant({ resourceType: 'Consent', status: 'active', scope: {}, category: [] }),
};

export const record: fc.Arbitrary<ModelRecord> = fc
  .constantFrom(
    'Observation',
    'Observation',
    'Observation',
    'Condition',
    'Condition',
    'ServiceRequest',
    'Provenance',
    'AllergyIntolerance',
    'Patient',
    'Consent',
  )
  .chain((type) =>
    fc.record({
      type: fc.constant(type),
      id: fc.constantFrom('1', '2'),
      custodian: fc.constantFrom('northside', 'northside', 'northside', 'hillside'),
      labels: fc.oneof(
        { weight: 2, arbitrary: fc.constant([]) },
        {
          weight: 1,
          arbitrary: fc.subarray(
            [
              ...labels,
              coding('v3-ActCode', 'PSYTHPN'),
              coding('v3-ActCode', 'NORDSCLCD'),
              coding('v3-ObservationValue', 'SUBSETTED'),
              coding('v3-ActReason', 'HPAYMT'),
            ] as { system: string; code: string }[],
            { minLength: 1, maxLength: 2 },
          ),
        },
      ),
      resource: fc.option(resources[type] ?? fc.constant(undefined as never), { nil: undefined, freq: 12 }),
    }),
  );

const organization = fc.constantFrom('lakeside', 'lakeside', 'northside', 'hillside');
const toOrganization = organization.map((id) => ({ reference: `Organization/${id}` }));
const patient = { reference: 'Patient/1' };
const sometimes = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 2 });
const intent = fc.constantFrom('order', 'order', 'order', 'proposal', 'filler-order');
const starts = period.map(({ start }) => start);
const request = fc.constantFrom('0', '0', '1', '2').map((id) => ({ reference: `ServiceRequest/${id}` }));
/** Of a visit: the numbers are those of steps, and the referrals come first. */
const basedOn = fc.constantFrom(0, 0, 1).chain((length) => fc.array(request, { minLength: length, maxLength: length }));
const ends = period.map(({ end }) => (end ? { end } : {}));

const referrals: fc.Arbitrary<ModelStep['resource']> = fc.oneof(
  fc
    .record({
      status: fc.constantFrom('active', 'active', 'active', 'completed', 'revoked'),
      intent,
      doNotPerform: fc.constantFrom(undefined, undefined, undefined, true),
      performer: fc.array(fc.oneof(toOrganization, fc.constant({ reference: 'Practitioner/1' })), { maxLength: 2 }),
      occurrencePeriod: sometimes(fc.oneof(ends, period)),
      authoredOn: sometimes(starts),
      modifierExtension: fc.constantFrom(undefined, undefined, undefined, changesIt),
    })
    .map(
      (elements) => defined({ resourceType: 'ServiceRequest', subject: patient, ...elements }) as fhir4.ServiceRequest,
    ),
  fc
    .record({
      status: fc.constantFrom('requested', 'accepted', 'completed', 'cancelled', 'rejected'),
      intent,
      code: fc
        .constantFrom('fulfill', 'fulfill', 'fulfill', 'approve')
        .map((code) => ({ coding: [{ system: 'http://hl7.org/fhir/CodeSystem/task-code', code }] })),
      owner: sometimes(toOrganization),
      restriction: sometimes(fc.oneof(ends, period).map((each) => ({ period: each }))),
      authoredOn: sometimes(starts),
      focus: sometimes(request),
    })
    .map((elements) => defined({ resourceType: 'Task', for: patient, ...elements }) as fhir4.Task),
  fc
    .record({
      status: fc.constantFrom('active', 'active', 'inactive'),
      scope: fc.constantFrom(
        concept('consentscope', 'treatment'),
        concept('consentscope', 'treatment'),
        concept('consentscope', 'research'),
      ),
      policyRule: fc.constantFrom(undefined, concept('v3-ActCode', 'OPTIN'), concept('v3-ActCode', 'OPTOUT')),
      provision: sometimes(
        fc
          .record({
            actor: fc.array(
              toOrganization.map((reference) => ({ role: concept('v3-ParticipationType', 'IRCP'), reference })),
              { maxLength: 2 },
            ),
            period: sometimes(period),
            type: fc.constantFrom(undefined, undefined, 'deny'),
            purpose: fc.constantFrom(undefined, undefined, [coding('v3-ActReason', 'TREAT')]),
          })
          .map(defined),
      ),
    })
    .map((elements) => defined({ resourceType: 'Consent', category: [], ...elements }) as unknown as fhir4.Consent),
);

const visits: fc.Arbitrary<ModelStep['resource']> = fc.oneof(
  fc
    .record({
      status: fc.constantFrom('in-progress', 'in-progress', 'arrived', 'finished', 'finished', 'planned', 'cancelled'),
      period: sometimes(period),
      basedOn,
    })
    .map((elements) => defined({ resourceType: 'Encounter', class: {}, ...elements }) as unknown as fhir4.Encounter),
  fc
    .record({
      status: fc.constantFrom<fhir4.Appointment['status'][]>('arrived', 'checked-in', 'fulfilled', 'booked', 'noshow'),
      start: sometimes(starts),
      basedOn,
    })
    .map((elements) => defined({ resourceType: 'Appointment', participant: [], ...elements }) as fhir4.Appointment),
);

const stepOf = (resource: fc.Arbitrary<ModelStep['resource']>): fc.Arbitrary<ModelStep> =>
  fc.record({
    custodian: organization,
    by: fc.constantFrom('staff', 'staff', 'patient'),
    resource,
    updated: fc.constantFrom(...instants),
    version: fc.constantFrom(1, 2),
    brokeGlass: fc.constantFrom(false, false, false, true),
  });

const anything = fc
  .tuple(fc.array(stepOf(referrals), { maxLength: 3 }), fc.array(stepOf(visits), { maxLength: 2 }))
  .map((each) => each.flat());

/** A referral by the keeper and a visit that may answer it: of what is random, little opens anything. */
const probable: fc.Arbitrary<ModelStep[]> = fc
  .record({
    sent: fc.record({
      occurrencePeriod: sometimes(fc.oneof(ends, period)),
      authoredOn: sometimes(starts),
    }),
    came: fc.record({ status: fc.constantFrom('in-progress', 'finished'), period: sometimes(period), basedOn }),
    asked: fc.constantFrom(...instants),
    seen: fc.constantFrom(...instants),
    brokeGlass: fc.constantFrom(false, false, false, true),
  })
  .map(({ sent, came, asked, seen, brokeGlass }): ModelStep[] => {
    const referral = {
      resourceType: 'ServiceRequest',
      status: 'active',
      intent: 'order',
      subject: patient,
      performer: [{ reference: 'Organization/lakeside' }],
      ...sent,
    };
    const visit = { resourceType: 'Encounter', class: {}, ...came };
    const step = { by: 'staff', version: 1 } as const;
    return [
      {
        ...step,
        custodian: 'northside',
        resource: defined(referral) as fhir4.ServiceRequest,
        updated: asked,
        brokeGlass: false,
      },
      {
        ...step,
        custodian: 'lakeside',
        resource: defined(visit) as unknown as fhir4.Encounter,
        updated: seen,
        brokeGlass,
      },
    ];
  });

/** What organisations and the patient have done in a chart. */
export const steps: fc.Arbitrary<ModelStep[]> = fc.oneof(
  { weight: 2, arbitrary: anything },
  { weight: 1, arbitrary: probable },
);

/** Emergencies of the reader, and of others. */
export const grants: fc.Arbitrary<ModelGrant[]> = fc.array(
  fc.record({
    to: fc.constantFrom('s', 's', 'another'),
    organization: fc.constantFrom('lakeside', 'lakeside', 'hillside'),
    from: fc.constantFrom(...instants),
    until: fc.constantFrom(...instants),
  }),
  { maxLength: 1 },
);

/** Claims of the small world. */
export const claims: fc.Arbitrary<ModelRecord> = fc
  .record({
    code: fc.constantFrom(own('a'), own('b'), own('c')),
    type: fc.constantFrom(own('a'), own('z')),
    encounter: fc.constantFrom('Encounter/1', 'Encounter/2', 'http://other.test/Encounter/1'),
    start: sometimes(date),
  })
  .map(({ code, type, encounter, start }) => ({
    type: 'Claim',
    id: '1',
    custodian: 'northside',
    labels: [],
    resource: {
      resourceType: 'Claim',
      status: 'active',
      type,
      use: 'claim',
      patient: subject,
      created: '2024-01-01',
      provider: { reference: 'Organization/northside' },
      priority: {},
      insurance: [],
      ...(start ? { billablePeriod: { start, end: start } } : {}),
      item: [{ sequence: 1, productOrService: code, encounter: [{ reference: encounter }] }],
    },
  }));

/** A moment of the small world. */
export const moment = fc.constantFrom(...instants);

const namingPayer = (each: fhir4.ConsentProvision, isRoot: boolean): fhir4.ConsentProvision => ({
  ...each,
  ...(isRoot || each.type === 'deny'
    ? {
        actor: [
          { role: concept('v3-ParticipationType', 'IRCP'), reference: { reference: 'Organization/lakeside' } },
          ...(each.actor ?? []),
        ],
        purpose: [coding('v3-ActReason', 'HPAYMT'), ...(each.purpose ?? [])],
      }
    : {}),
  ...(each.provision ? { provision: each.provision.map((inner) => namingPayer(inner, false)) } : {}),
});

/** Consents that name Lakeside as a payer wherever they deny, or in the root provision as well. */
export const payerConsents: fc.Arbitrary<fhir4.Consent> = fc
  .tuple(consent, fc.boolean())
  .map(([each, root]) => (each.provision ? { ...each, provision: namingPayer(each.provision, root) } : each));
