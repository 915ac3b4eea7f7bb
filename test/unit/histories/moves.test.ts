import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Caller, Role } from '../../../shared/access/caller.ts';
import { RecordError } from '../../../shared/errors.ts';
import { checkInvariants } from '../../../shared/fhir/check-invariants.ts';
import type { Resource } from '../../../shared/fhir/resource.ts';
import { allergyIntolerance } from '../../../shared/record-types/allergy-intolerance.ts';
import { condition } from '../../../shared/record-types/condition.ts';
import type { RecordType } from '../../../shared/record-types/define-record-type.ts';
import { familyMemberHistory } from '../../../shared/record-types/family-member-history.ts';
import { immunization } from '../../../shared/record-types/immunization.ts';
import { procedure } from '../../../shared/record-types/procedure.ts';

// What these types may become, against a model that is written here once more: every pair of states, then walks that meet all rules at once.

type Parts = Readonly<Record<string, unknown>>;

const now = Date.UTC(2026, 4, 5, 12);

const as = (role: Role): Caller => ({
  subject: 's',
  name: 's',
  client: 'c',
  organization: 'northside',
  roles: [role],
  scopes: [],
  fhirUser: 'Practitioner/1',
  patient: undefined,
});

/** As the doors of the store do it: what the server keeps, then what may be refused. */
const judge = (
  type: RecordType,
  before: Resource | undefined,
  next: Resource,
  role: Role = 'physician',
): { readonly refused?: string | undefined; readonly stored?: Resource } => {
  if (checkInvariants(type.schema, type.rules, next).some(({ severity }) => severity === 'error'))
    return { refused: 'validation' };
  const stored = type.keeps?.(before, next, now, as(role)) ?? next;
  try {
    type.requireChange?.(before, stored, as(role));
  } catch (error) {
    if (error instanceof RecordError) return { refused: error.reason };
    throw error;
  }
  return { stored };
};

const coded = (code: string): fhir4.CodeableConcept => ({ coding: [{ code }] });
const inSystem = (system: string, code: string): fhir4.CodeableConcept => ({
  coding: [{ system: `http://terminology.hl7.org/CodeSystem/${system}`, code }],
});
const flagsOf = (resource: Resource | undefined) => (resource?.meta?.tag ?? []).map(({ code }) => code);
const because = (text: string): Parts => ({
  extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/event-statusReason', valueCodeableConcept: { text } }],
});

/** Of each element of one state: state → states that may follow; behind ! those that need a reason. */
const tables: Readonly<
  Record<string, { readonly type: RecordType; readonly table: Readonly<Record<string, string>> }>
> = {
  'Condition.clinicalStatus': {
    type: condition,
    table: {
      active: 'recurrence relapse inactive remission resolved',
      recurrence: 'active relapse inactive remission resolved',
      relapse: 'active recurrence inactive remission resolved',
      inactive: 'active recurrence relapse remission resolved',
      remission: 'active recurrence relapse inactive resolved',
      resolved: 'active recurrence inactive remission',
    },
  },
  'Condition.verificationStatus': {
    type: condition,
    table: {
      unconfirmed: 'provisional differential confirmed refuted entered-in-error',
      provisional: 'unconfirmed differential confirmed refuted entered-in-error',
      differential: 'unconfirmed provisional confirmed refuted entered-in-error',
      confirmed: '!unconfirmed !provisional !differential refuted entered-in-error',
      refuted: '!unconfirmed !provisional !differential !confirmed entered-in-error',
      'entered-in-error': '',
    },
  },
  'AllergyIntolerance.clinicalStatus': {
    type: allergyIntolerance,
    table: { active: 'inactive resolved', inactive: 'active resolved', resolved: 'active inactive' },
  },
  'AllergyIntolerance.verificationStatus': {
    type: allergyIntolerance,
    table: {
      unconfirmed: 'confirmed refuted entered-in-error',
      confirmed: '!unconfirmed refuted entered-in-error',
      refuted: 'unconfirmed confirmed entered-in-error',
      'entered-in-error': '',
    },
  },
  'Immunization.status': {
    type: immunization,
    table: { completed: 'entered-in-error', 'not-done': 'entered-in-error', 'entered-in-error': '' },
  },
  'Procedure.status': {
    type: procedure,
    table: {
      preparation: 'in-progress on-hold !not-done completed unknown entered-in-error',
      'in-progress': 'on-hold !stopped completed unknown entered-in-error',
      'on-hold': 'preparation in-progress !not-done !stopped completed unknown entered-in-error',
      'not-done': 'entered-in-error',
      stopped: 'entered-in-error',
      completed: 'entered-in-error',
      unknown: 'preparation in-progress on-hold !not-done !stopped completed entered-in-error',
      'entered-in-error': '',
    },
  },
  'FamilyMemberHistory.status': {
    type: familyMemberHistory,
    table: {
      partial: 'completed health-unknown entered-in-error',
      completed: 'partial health-unknown entered-in-error',
      'health-unknown': 'partial completed entered-in-error',
      'entered-in-error': '',
    },
  },
};

const follows = (table: Readonly<Record<string, string>>, from: string, to: string, hasReason: boolean) => {
  const moves = table[from]?.split(' ') ?? [];
  if (from === to || moves.includes(to)) return undefined;
  if (moves.includes(`!${to}`)) return hasReason ? undefined : 'move-needs-reason';
  return 'illegal-move';
};

describe.each(Object.keys(tables))('%s', (name) => {
  const { type, table } = tables[name] as (typeof tables)[string];
  const element = name.slice(name.indexOf('.') + 1);
  const states = Object.keys(table);
  const pairs = states.flatMap((from) => states.map((to): [string, string] => [from, to]));
  const being = (state: string, parts: Parts = {}): Resource =>
    ({
      resourceType: type.name,
      [element]: element === 'status' ? state : coded(state),
      ...(element === 'status' && ['not-done', 'stopped'].includes(state) ? { statusReason: { text: 'So' } } : {}),
      ...parts,
    }) as unknown as Resource;
  const refused = (from: string, to: string, parts: Parts, role?: Role) => {
    try {
      type.requireChange?.(being(from), being(to, parts), as(role ?? 'physician'));
      return undefined;
    } catch (error) {
      return error instanceof RecordError ? error.reason : error;
    }
  };
  // R4 wants an element that tells of a reason there where there is one.
  const reason = element === 'status' ? { statusReason: { text: 'Because' } } : because('Because');

  it.each(pairs)('of %s becomes %s, or not', (from, to) => {
    const bare = element === 'status' ? { statusReason: undefined } : {};
    const needsOne = name !== 'FamilyMemberHistory.status' && (to === 'not-done' || to === 'stopped') && from !== to;

    expect(refused(from, to, reason)).toBe(follows(table, from, to, true));
    if (from !== to)
      expect(refused(from, to, bare)).toBe(
        follows(table, from, to, false) ?? (needsOne ? 'move-needs-reason' : undefined),
      );
    expect(refused(from, to, bare, 'system')).toBeUndefined();
    const flagged = flagsOf(type.keeps?.(being(from), being(to), now, as('system')));
    const needs = table[from]?.split(' ').includes(`!${to}`);
    if (!needs) expect(flagged).toEqual(follows(table, from, to, true) ? ['irregular-move'] : []);
  });
});

const conditionOf = (parts: Parts): Resource => ({ resourceType: 'Condition', ...parts }) as unknown as Resource;
const category = (...codes: string[]) => ({ category: codes.map(coded) });
const visit = (id: string) => ({ encounter: { reference: `Encounter/${id}` } });

describe('categories', () => {
  const problem = conditionOf(category('problem-list-item'));
  const diagnosis = conditionOf({ ...category('encounter-diagnosis'), ...visit('1') });

  it.each<[string, Resource | undefined, Resource, string | undefined]>([
    [
      'a diagnosis is put onto the list',
      diagnosis,
      conditionOf({ ...category('encounter-diagnosis', 'problem-list-item'), ...visit('1') }),
      'kept-apart',
    ],
    ['a diagnosis becomes a problem', diagnosis, problem, 'kept-apart'],
    ['a problem becomes a concern', problem, conditionOf(category('health-concern')), 'kept-apart'],
    ['a problem is no more one', problem, conditionOf({}), 'kept-apart'],
    ['what was none becomes a problem', conditionOf({}), problem, undefined],
    [
      'what was none becomes two',
      conditionOf({}),
      conditionOf(category('encounter-diagnosis', 'health-concern')),
      'kept-apart',
    ],
    [
      'a first version is two',
      undefined,
      conditionOf(category('encounter-diagnosis', 'problem-list-item')),
      'kept-apart',
    ],
    [
      'a first version is a problem and a concern',
      undefined,
      conditionOf(category('health-concern', 'problem-list-item')),
      undefined,
    ],
    ['another category comes', problem, conditionOf(category('problem-list-item', 'sdoh')), undefined],
    ['a diagnosis loses its visit', diagnosis, conditionOf(category('encounter-diagnosis')), 'kept-apart'],
    [
      'a diagnosis changes its visit',
      diagnosis,
      conditionOf({ ...category('encounter-diagnosis'), ...visit('2') }),
      'kept-apart',
    ],
    [
      'a diagnosis names its visit elsewise',
      diagnosis,
      conditionOf({
        ...category('encounter-diagnosis'),
        encounter: { reference: 'https://here.example/fhir/Encounter/1' },
      }),
      undefined,
    ],
    ['a diagnosis is given its visit', conditionOf(category('encounter-diagnosis')), diagnosis, undefined],
    [
      'a problem changes its visit',
      conditionOf({ ...category('problem-list-item'), ...visit('1') }),
      conditionOf({ ...category('problem-list-item'), ...visit('2') }),
      undefined,
    ],
  ])('%s', (_, before, next, refused) => {
    expect(judge(condition, before, next).refused).toBe(refused);
    expect(judge(condition, before, next, 'system').refused).toBeUndefined();
    const told = judge(condition, before, next, 'system').stored;
    expect(flagsOf(told)).toEqual(refused && before?.['category'] ? ['irregular-move'] : []);
  });
});

describe('times', () => {
  const given = (occurrenceDateTime: string, parts: Parts = {}): [RecordType, Parts] => [
    immunization,
    { resourceType: 'Immunization', status: 'completed', occurrenceDateTime, ...parts },
  ];
  const had = (parts: Parts): [RecordType, Parts] => [
    condition,
    { resourceType: 'Condition', clinicalStatus: inSystem('condition-clinical', 'resolved'), ...parts },
  ];
  const relative = (parts: Parts): [RecordType, Parts] => [
    familyMemberHistory,
    { resourceType: 'FamilyMemberHistory', status: 'completed', ...parts },
  ];
  const done = (parts: Parts): [RecordType, Parts] => [
    procedure,
    { resourceType: 'Procedure', status: 'completed', ...parts },
  ];
  const years = (value: number, code = 'a') => ({ value, code, system: 'http://unitsofmeasure.org' });

  it.each<[boolean, ...[RecordType, Parts]]>([
    [true, ...had({ onsetDateTime: '2024-05-02', abatementDateTime: '2024-05-01' })],
    [false, ...had({ onsetDateTime: '2024-05-02', abatementDateTime: '2024-05-02T00:00:00Z' })],
    [false, ...had({ onsetDateTime: '2024-05-02', abatementDateTime: '2024' })],
    [true, ...had({ onsetDateTime: '2024', abatementDateTime: '2023-12-31' })],
    [true, ...had({ onsetPeriod: { start: '2024-05-02' }, abatementPeriod: { end: '2024-05-01' } })],
    [false, ...had({ onsetPeriod: { end: '2024-05-02' }, abatementPeriod: { start: '2024-05-01' } })],
    [true, ...had({ onsetAge: years(30), abatementAge: years(29) })],
    [false, ...had({ onsetAge: years(30, 'mo'), abatementAge: years(29) })],
    [false, ...had({ onsetAge: years(30), abatementString: 'soon' })],
    [false, ...had({ abatementDateTime: '2024' })],
    [true, ...relative({ bornDate: '1950', deceasedDate: '1949-12-31' })],
    [false, ...relative({ bornDate: '1950', deceasedDate: '1950' })],
    [false, ...relative({ bornPeriod: { start: '1950' }, deceasedBoolean: true })],
    [false, ...given('2026-05-05T12:04:00Z')],
    [true, ...given('2026-05-05T12:06:00Z')],
    [false, ...given('2026-05-06')],
    [true, ...given('2026-05-07')],
    [false, ...given('2026-05-07', { status: 'not-done', statusReason: { text: 'Refused' } })],
    [false, ...given('2026-05-07', { status: 'entered-in-error' })],
    [false, ...done({ performedPeriod: { start: '2026-05-05T11:00:00Z' } })],
    [true, ...done({ performedPeriod: { start: '2026-05-05T13:00:00Z' } })],
    [false, ...done({ performedString: 'tomorrow' })],
    [false, ...done({ status: 'preparation', performedDateTime: '2026-05-07' })],
  ])('that cannot be: %s', (impossible, type, parts) => {
    const next = parts as unknown as Resource;
    const byPerson = judge(type, undefined, next);
    const told = judge(type, undefined, next, 'system').stored;
    const raised =
      type.raises?.({
        name: 'X/1',
        before: undefined,
        next: told,
        baseUrl: 'https://here.example',
        custodian: 'northside',
        policy: {} as never,
        now,
      }) ?? [];

    expect(byPerson.refused).toBe(impossible ? 'impossible-times' : undefined);
    expect(flagsOf(told)).toEqual(impossible ? ['impossible-times'] : []);
    expect(raised.filter((each) => 'opens' in each)).toHaveLength(impossible ? 1 : 0);
    // It stays until somebody takes the flag off, and is mended bit by bit.
    expect(judge(type, told, told as Resource).refused).toBeUndefined();
  });
});

describe('what was not done', () => {
  it.each([
    [immunization, 'not-done'],
    [procedure, 'not-done'],
    [procedure, 'stopped'],
  ])('says why from the first version on (%#)', (type, status) => {
    const bare = { resourceType: type.name, status } as unknown as Resource;
    const reasoned = { ...bare, statusReason: { text: 'The patient refused' } };

    expect(judge(type, undefined, bare).refused).toBe('move-needs-reason');
    expect(judge(type, undefined, reasoned).refused).toBeUndefined();
    expect(judge(type, reasoned, bare).refused).toBe('move-needs-reason');
    expect(judge(type, undefined, bare, 'system').refused).toBeUndefined();
    expect(judge(type, bare, { ...bare, note: [{ text: 'Later' }] } as Resource).refused).toBeUndefined();
  });
});

describe('a condition that is written again and again', () => {
  const clinicals = [undefined, 'active', 'recurrence', 'relapse', 'inactive', 'remission', 'resolved'];
  const verifications = [
    undefined,
    'unconfirmed',
    'provisional',
    'differential',
    'confirmed',
    'refuted',
    'entered-in-error',
  ];
  const step = fc.record({
    clinical: fc.constantFrom(...clinicals),
    verification: fc.constantFrom(...verifications),
    kind: fc.constantFrom('', 'problem-list-item', 'encounter-diagnosis', 'health-concern'),
    visit: fc.constantFrom('', '1', '2'),
    onset: fc.constantFrom(0, 1, 2),
    abatement: fc.constantFrom(0, 1, 2),
    reason: fc.constantFrom('', 'one', 'another'),
  });
  type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

  const written = ({ clinical, verification, kind, visit: of, onset, abatement, reason }: Step): Resource =>
    conditionOf({
      ...(clinical === undefined ? {} : { clinicalStatus: inSystem('condition-clinical', clinical) }),
      ...(verification === undefined ? {} : { verificationStatus: inSystem('condition-ver-status', verification) }),
      ...(kind ? { category: [inSystem('condition-category', kind)] } : {}),
      ...(of ? visit(of) : {}),
      ...(onset ? { onsetDateTime: `202${onset}` } : {}),
      ...(abatement ? { abatementDateTime: `202${abatement}` } : {}),
      ...(reason ? because(reason) : {}),
      subject: { reference: 'Patient/1' },
    });

  /** What the docs say, in another way than the code. */
  const permitted = (was: Step | undefined, is: Step): boolean => {
    const withdrawn = is.verification === 'entered-in-error';
    const over = ['inactive', 'remission', 'resolved'].includes(is.clinical ?? '');
    if (withdrawn && is.clinical !== undefined) return false;
    if (is.abatement && !over) return false;
    if (!withdrawn && is.abatement && is.abatement < is.onset) return false;
    if (!was) return true;
    if (was.kind && was.kind !== is.kind) return false;
    if (was.kind === 'encounter-diagnosis' && was.visit && was.visit !== is.visit) return false;
    if (was.verification === 'entered-in-error' && !withdrawn) return false;
    const anew = is.reason !== '' && is.reason !== was.reason;
    const doubted = ['unconfirmed', 'provisional', 'differential'].includes(is.verification ?? '');
    if (was.verification !== undefined && is.verification === undefined) return false;
    if (was.verification === 'confirmed' && doubted && !anew) return false;
    if (was.verification === 'refuted' && !['refuted', 'entered-in-error'].includes(is.verification ?? '') && !anew)
      return false;
    if (withdrawn || was.clinical === undefined) return true;
    return is.clinical !== undefined && !(was.clinical === 'resolved' && is.clinical === 'relapse');
  };

  it('takes the versions that its rules permit, and no other', () => {
    const met = { permitted: 0, refused: 0 };
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 30 }), (steps) => {
        let last: { readonly step: Step; readonly stored: Resource } | undefined;
        for (const each of steps) {
          const { refused, stored } = judge(condition, last?.stored, written(each));
          const may = permitted(last?.step, each);
          expect(refused === undefined, JSON.stringify([last?.step, each, refused])).toBe(may);
          expect(flagsOf(stored)).toEqual([]);
          met[may ? 'permitted' : 'refused']++;
          if (stored) last = { step: each, stored };
        }
      }),
      { numRuns: 300 },
    );
    expect(Math.min(met.permitted, met.refused)).toBeGreaterThan(100);
  });
});
