import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decide, decideType } from '../../shared/access/decide.ts';
import type { Asking } from '../../shared/access/question.ts';
import { parseScopes } from '../../shared/access/scopes.ts';
import { recordTypes } from '../../shared/record-types/index.ts';
import { type ModelScope, scopeHolds, scopeText } from '../support/access-model/scopes.ts';
import { contractRights, type contractRoles } from '../support/contract-roles.ts';

type RoleName = keyof typeof contractRoles;
type Letter = 'c' | 'r' | 'u' | 'd' | 's';
interface Person {
  readonly roles: readonly RoleName[];
  readonly organization: string | undefined;
  readonly chart: string | undefined;
  /** Charts that a merge has made the patient's, too. */
  readonly merged?: readonly string[];
  readonly scopes: readonly ModelScope[];
  /** Whether somebody has delegated to a member of support. */
  readonly delegated?: boolean;
  /** Whether it is done by an operation that books. */
  readonly books?: boolean;
}

type Facts = Parameters<typeof decide>[3] & {
  readonly resource: { category?: fhir4.CodeableConcept[]; code?: fhir4.CodeableConcept } | undefined;
};

const directory = [
  'Organization',
  'Practitioner',
  'PractitionerRole',
  'Location',
  'HealthcareService',
  'Endpoint',
  'Schedule',
  'Slot',
];

const underDelegation = ['Patient', 'Appointment', 'Communication', 'Task'];

/** The rules once more, as a reader of the contract would apply them, one after the other. */
const model = (person: Person, letter: Letter, type: string, record: Facts): string => {
  const isPatient = person.roles.includes('patient');
  let scoped = false;
  let covered = false;
  for (const scope of person.scopes) {
    const rightLevel = isPatient ? scope.level === 'patient' : scope.level !== 'patient';
    const rightType = scope.type === '*' || scope.type === type;
    const understood = scope.query === '' || ['Observation', 'Condition'].includes(scope.type);
    if (!rightLevel || !rightType || !understood || !scope.letters.includes(letter)) continue;
    scoped = true;
    covered ||= scopeHolds(scope, record.resource);
  }
  if (!scoped) return 'scope';
  let inRole = false;
  for (const role of person.roles) if (contractRights(role, type).includes(letter)) inRole = true;
  if (person.books && person.roles.includes('support') && type === 'Appointment' && 'cu'.includes(letter))
    inRole = true;
  if (!inRole) return 'role';
  const ofSupport = person.roles.includes('support') && underDelegation.includes(type);
  if (ofSupport && person.delegated !== true) return 'delegation';
  // Nobody has from the wrong chart what was there.
  if (record.misfiled) return 'misfiled';
  if (!covered) return 'scope';
  const reading = letter === 'r' || letter === 's';
  if (directory.includes(type) && reading) return 'permit';
  // A psychotherapy note is its author's, before anything else is asked.
  const isNote = record.originators !== undefined || record.labels.some((label) => label.split('|')[1] === 'PSYTHPN');
  if (!directory.includes(type) && isNote && !(record.originators ?? []).some((each) => each === 'Practitioner/x'))
    return 'originator';
  if (isPatient) {
    const named = person.chart !== undefined && person.chart === record.chart;
    const joined = (person.merged ?? []).some((each) => each === record.chart);
    if (!named && !joined) return 'not-own-record';
    // What a representative would do is no reason to keep a record from the patient.
    if (record.withheld && record.withheld.reason !== 'representative') return 'withheld';
    // A merge may be wrong: it lets the patient read, and nothing else.
    return named || reading ? 'permit' : 'not-own-record';
  }
  if (person.organization !== record.custodian) return 'custodian';
  // Of labels none here is ordinary, and of messages and tasks none is for support.
  if (ofSupport && (record.labels.length > 0 || type === 'Communication' || type === 'Task')) return 'custodian';
  return 'permit';
};

const staffRoles: RoleName[] = ['physician', 'nurse', 'pharmacist', 'lab', 'frontdesk', 'privacy', 'admin', 'system'];
const organizations = ['northside', 'lakeside'];
const charts = ['chart-1', 'chart-2'];
const letters: Letter[] = ['c', 'r', 'u', 'd', 's'];
const scope = fc.record({
  level: fc.constantFrom('patient', 'user', 'system'),
  type: fc.constantFrom('*', '*', 'Patient', 'Observation', 'Organization', 'Appointment', 'Task'),
  letters: fc.constantFrom('cruds', 'cruds', 'rs', 'r', 'c', 'u', 'd'),
  query: fc.constantFrom(
    '',
    '',
    'category=s|lab',
    'category=vital',
    'category=s|lab,s|vital&code=|x',
    'code=s|',
    'code=x',
  ),
});
const person: fc.Arbitrary<Person> = fc.oneof(
  fc.record({
    roles: fc.constant(['support'] as const),
    organization: fc.constantFrom(...organizations),
    chart: fc.constant(undefined),
    scopes: fc.array(scope, { maxLength: 3 }),
    delegated: fc.boolean(),
    books: fc.boolean(),
  }),
  fc.record({
    roles: fc.subarray(staffRoles, { minLength: 1, maxLength: 3 }),
    organization: fc.constantFrom(...organizations),
    chart: fc.constant(undefined),
    scopes: fc.array(scope, { maxLength: 3 }),
    books: fc.boolean(),
  }),
  fc.record({
    roles: fc.constant(['patient'] as const),
    organization: fc.constant(undefined),
    chart: fc.constantFrom(undefined, ...charts),
    scopes: fc.array(scope, { maxLength: 3 }),
  }),
  fc.record({
    roles: fc.constant(['patient'] as const),
    organization: fc.constant(undefined),
    chart: fc.constantFrom(...charts),
    merged: fc.subarray(charts),
    scopes: fc.constant([{ level: 'patient', type: '*', letters: 'cruds', query: '' }]),
  }),
);

const asking = ({ roles, organization, chart, merged, scopes, delegated, books }: Person): Asking => ({
  caller: {
    subject: 's',
    name: 'n',
    client: 'c',
    organization,
    roles,
    scopes: parseScopes(scopes.map(scopeText).join(' ')),
    fhirUser: 'Practitioner/x',
    patient: chart === undefined ? undefined : 'p',
  },
  chart,
  ...(merged ? { merged: new Set(merged) } : {}),
  ...(books ? { booking: true } : {}),
  ...(delegated ? { delegation: { role: 'PractitionerRole/1', by: 'Practitioner/y', from: 0, to: 1 } } : {}),
});
const concept = (system: string | undefined, code: string): fhir4.CodeableConcept => ({
  coding: [{ code, ...(system === undefined ? {} : { system }) }],
});
const concepts = [
  concept('s', 'lab'),
  concept('s', 'vital'),
  concept('t', 'lab'),
  concept(undefined, 'x'),
  { text: 'lab' },
];
const resource = fc.option(
  fc.record({ category: fc.subarray(concepts), code: fc.constantFrom(...concepts) }),
  { nil: undefined, freq: 8 }, // deleted
);
const record: fc.Arbitrary<Facts> = fc.record({
  custodian: fc.constantFrom(...organizations),
  chart: fc.constantFrom(...charts),
  id: fc.constant('1'),
  labels: fc.subarray(['http://terminology.hl7.org/CodeSystem/v3-ActCode|PSYTHPN', 's|R', 's|PSY'], { maxLength: 2 }),
  originators: fc.option(
    fc.constantFrom(['Practitioner/x'], ['Practitioner/y'], ['Practitioner/y', 'Practitioner/x']),
    {
      nil: undefined,
      freq: 2,
    },
  ),
  withheld: fc.option(
    fc
      .constantFrom('danger' as const, 'other-person' as const, 'representative' as const)
      .map((reason) => ({ by: 'Practitioner/y', at: 0, reason, text: 'words', review: 'Practitioner/z' })),
    { nil: undefined, freq: 2 },
  ),
  misfiled: fc.constantFrom(undefined, undefined, undefined, undefined, true as const),
  resource: resource.map((said) => said && { resourceType: 'Basic', ...said }),
});

const named = (name: string) => {
  const type = recordTypes.find((each) => each.name === name);
  if (!type) throw new Error(`There is no ${name}`);
  return type;
};
const nurse: Person = {
  roles: ['nurse'],
  organization: 'northside',
  chart: undefined,
  scopes: [{ level: 'user', type: '*', letters: 'cruds', query: '' }],
};
const own = { custodian: 'northside', chart: 'chart-1', id: '1', labels: [], resource: { resourceType: 'Basic' } };
const foreign = { ...own, custodian: 'lakeside' };

describe('decide', () => {
  it('agrees with a naive reading of the rules for any caller, type, action and record', () => {
    const seen = new Map<string, number>();
    fc.assert(
      fc.property(
        person,
        fc.oneof(fc.constantFrom(...recordTypes), fc.constantFrom(...underDelegation.map(named))),
        fc.constantFrom(...letters),
        record,
        (who, type, letter, facts) => {
          const decision = decide(asking(who), letter, type, facts);

          const outcome = decision.permit ? 'permit' : decision.reason;
          seen.set(outcome, (seen.get(outcome) ?? 0) + 1);
          expect(outcome).toBe(model(who, letter, type.name, facts));
        },
      ),
      { numRuns: 20_000 },
    );
    // The comparison is worth little unless every outcome comes up.
    expect([...seen.keys()].sort()).toEqual([
      'custodian',
      'delegation',
      'misfiled',
      'not-own-record',
      'originator',
      'permit',
      'role',
      'scope',
      'withheld',
    ]);
    expect(Math.min(...seen.values())).toBeGreaterThan(20);
  });

  it('never permits for a record what it refuses for the whole type', () => {
    fc.assert(
      fc.property(
        person,
        fc.constantFrom(...recordTypes),
        fc.constantFrom(...letters),
        record,
        (who, type, letter, facts) => {
          fc.pre(!decideType(asking(who), letter, type).permit);

          expect(decide(asking(who), letter, type, facts)).toEqual(decideType(asking(who), letter, type));
        },
      ),
    );
  });

  it('keeps organisations apart', () => {
    expect(decide(asking(nurse), 'r', named('Observation'), own)).toEqual({ permit: true });
    expect(decide(asking(nurse), 'r', named('Observation'), foreign)).toEqual({ permit: false, reason: 'custodian' });
  });

  it('opens the directory to readers of other organisations, not to writers', () => {
    const admin: Person = { ...nurse, roles: ['admin'] };

    expect(decide(asking(nurse), 's', named('Location'), foreign)).toEqual({ permit: true });
    expect(decide(asking(admin), 'u', named('Location'), own)).toEqual({ permit: true });
    expect(decide(asking(admin), 'u', named('Location'), foreign)).toEqual({ permit: false, reason: 'custodian' });
  });

  it('keeps what is under another record from whoever may not read that one, whatever is to be done', () => {
    const under = named('Coverage');
    const physician: Person = { ...nurse, roles: ['physician'] };

    for (const action of ['c', 'r', 'u', 'd', 's'] as const) {
      expect(decide(asking(nurse), action, named('Binary'), own)).toEqual({ permit: true });
      expect(decide(asking(nurse), action, named('Binary'), { ...own, under })).toEqual({
        permit: false,
        reason: 'role',
      });
      expect(decide(asking(physician), action, named('Binary'), { ...own, under })).toEqual({ permit: true });
    }
    expect(decide(asking(physician), 'r', named('Binary'), { ...foreign, under: named('Location') })).toEqual({
      permit: false,
      reason: 'custodian',
    });
  });

  it('leaves what is under a record that is not understood to the systems of who keeps it', () => {
    const under = 'not-understood';
    const everySystem = {
      scopes: [{ level: 'system', type: '*', letters: 'cruds', query: '' }],
      roles: ['system'],
    } as const;

    for (const role of staffRoles.filter((each) => each !== 'system')) {
      const decision = decide(asking({ ...nurse, roles: [role] }), 'r', named('Binary'), { ...own, under });
      expect(decision, role).toEqual({ permit: false, reason: 'role' });
    }
    const systems: Person = { ...nurse, ...everySystem };
    expect(decide(asking(systems), 'r', named('Binary'), { ...own, under })).toEqual({ permit: true });
    expect(decide(asking(systems), 'r', named('Binary'), { ...foreign, under })).toEqual({
      permit: false,
      reason: 'custodian',
    });
  });

  it('shows a patient the own chart alone, even where the record is kept by the same organisation', () => {
    const patient: Person = {
      roles: ['patient'],
      organization: undefined,
      chart: 'chart-1',
      scopes: [{ level: 'patient', type: '*', letters: 'rs', query: '' }],
    };

    expect(decide(asking(patient), 'r', named('Condition'), own)).toEqual({ permit: true });
    expect(decide(asking(patient), 'r', named('Condition'), { ...own, chart: 'chart-2' })).toEqual({
      permit: false,
      reason: 'not-own-record',
    });
    expect(decide(asking({ ...patient, chart: undefined }), 'r', named('Condition'), own).permit).toBe(false);
  });
});
