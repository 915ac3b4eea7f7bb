import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Role, roles } from '../../shared/access/caller.ts';
import { decide } from '../../shared/access/decide.ts';
import { explain, ruleWords } from '../../shared/access/explanation.ts';
import type { Asking, RecordFacts, Sharing } from '../../shared/access/question.ts';
import { rulesOfRecord, rulesOfType } from '../../shared/access/rules/index.ts';
import { type Action, parseScopes } from '../../shared/access/scopes.ts';
import { recordTypes } from '../../shared/record-types/index.ts';

const staff = roles.filter((role): role is Exclude<Role, 'patient'> => role !== 'patient');
const scope = fc.constantFrom('user/*.cruds', 'system/*.rs', 'patient/*.rs', 'user/Observation.r', 'user/Task.u', '');
const asking: fc.Arbitrary<Asking> = fc.record({
  caller: fc.record({
    subject: fc.constant('s'),
    name: fc.constant('n'),
    client: fc.constant('c'),
    organization: fc.constantFrom('northside', 'lakeside', undefined),
    roles: fc.oneof(fc.subarray(staff, { minLength: 1, maxLength: 2 }), fc.constant(['patient'] as const)),
    scopes: fc.array(scope, { maxLength: 2 }).map((texts) => parseScopes(texts.join(' '))),
    fhirUser: fc.constantFrom('Practitioner/x', 'Practitioner/y'),
    patient: fc.constant(undefined),
  }),
  chart: fc.constantFrom('chart-1', 'chart-2', undefined),
  proxy: fc.option(
    fc.record({
      basis: fc.constantFrom('parent' as const, undefined),
      mayAct: fc.boolean(),
      conceals: fc.constant(true),
      hides: fc.constantFrom(
        () => true,
        () => false,
      ),
      hidesName: fc.constant(() => false),
    }),
    { nil: undefined, freq: 2 },
  ),
  delegation: fc.constantFrom(undefined, { role: 'PractitionerRole/1', by: 'Practitioner/1', from: 0, to: 1 }),
});
const withheld = { by: 'Practitioner/y', at: 0, reason: 'danger', text: 'words', review: 'Practitioner/z' } as const;
const record: fc.Arbitrary<RecordFacts> = fc.record({
  custodian: fc.constantFrom('northside', 'lakeside'),
  chart: fc.constantFrom('chart-1', 'chart-2'),
  id: fc.constant('1'),
  labels: fc.subarray(['http://terminology.hl7.org/CodeSystem/v3-ActCode|PSYTHPN', 's|R']),
  originators: fc.constantFrom(undefined, ['Practitioner/x']),
  withheld: fc.constantFrom(undefined, withheld),
  misfiled: fc.constantFrom(undefined, undefined, undefined, true as const),
  resource: fc.constant({ resourceType: 'Basic' }),
});
/** Few, so that each rule comes up. */
const types = recordTypes.filter(({ name }) =>
  ['Appointment', 'Location', 'Observation', 'Patient', 'Task'].includes(name),
);
const sharing = fc.constantFrom<Sharing | undefined>(
  undefined,
  () => 'consent',
  () => undefined,
);

describe('an explanation', () => {
  it('is the decision, and its last step is what decided', () => {
    const ends = new Map<string, number>();
    fc.assert(
      fc.property(
        asking,
        fc.constantFrom<Action>('c', 'r', 'u', 'd', 's'),
        fc.constantFrom(...types),
        record,
        sharing,
        (who, action, type, facts, shared) => {
          const explained = explain(who, action, type, facts, shared);

          const decision = decide(who, action, type, facts, shared);
          expect(explained.decision).toEqual(decision);
          const last = explained.path.at(-1);
          expect(last?.verdict).toBe(decision.permit ? 'permit' : decision.reason);
          expect(explained.path.slice(0, -1).every(({ verdict }) => verdict === undefined)).toBe(true);
          expect(explained.path.map(({ rule }) => rule)).toEqual(
            [...Object.keys(rulesOfType), ...Object.keys(rulesOfRecord)].slice(0, explained.path.length),
          );
          expect(explained.basis !== undefined).toBe(decision.permit && last?.rule === 'sharing');
          ends.set(last?.rule ?? '', (ends.get(last?.rule ?? '') ?? 0) + 1);
        },
      ),
      { numRuns: 5_000, seed: 12 },
    );
    const silent = new Set(['scopeOfRecord', 'securityContext']);
    expect([...ends.keys()].sort()).toEqual(
      Object.keys(ruleWords)
        .filter((rule) => !silent.has(rule))
        .sort(),
    );
  });

  it('has words for every rule, and for no other', () => {
    expect(Object.keys(ruleWords).sort()).toEqual([...Object.keys(rulesOfType), ...Object.keys(rulesOfRecord)].sort());
  });

  it('tells what the caller is answered', () => {
    const nurse = (organization: string, scopes = 'user/*.cruds'): Asking => ({
      caller: {
        subject: 's',
        name: 'n',
        client: 'c',
        organization,
        roles: ['nurse'],
        scopes: parseScopes(scopes),
        fhirUser: 'Practitioner/x',
        patient: undefined,
      },
      chart: undefined,
    });
    const own: RecordFacts = { custodian: 'northside', chart: 'c', id: '1', labels: [], resource: undefined };
    const named = (name: string) => {
      const type = recordTypes.find((each) => each.name === name);
      if (!type) throw new Error(`There is no ${name}`);
      return type;
    };
    const answer = (who: Asking, action: Action, type: string, shared?: Sharing) =>
      explain(who, action, named(type), own, shared).answer;

    expect(answer(nurse('northside'), 'r', 'Observation')).toBe('permit');
    expect(answer(nurse('lakeside'), 'r', 'Observation')).toBe('not-found');
    expect(answer(nurse('lakeside'), 'u', 'Observation')).toBe('not-found');
    expect(answer(nurse('lakeside'), 'u', 'Observation', () => 'consent')).toBe('forbidden-custodian');
    expect(answer(nurse('northside', 'user/Task.r'), 'r', 'Observation')).toBe('forbidden-scope');
    expect(answer(nurse('northside'), 'r', 'Claim')).toBe('forbidden-role');
    const { caller } = nurse('northside', 'patient/*.rs');
    const patient: Asking = { caller: { ...caller, organization: undefined, roles: ['patient'] }, chart: 'c' };
    expect(explain(patient, 'r', named('Observation'), { ...own, withheld }).answer).toBe('withheld');
  });
});
