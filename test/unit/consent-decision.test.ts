import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decide } from '../../shared/access/decide.ts';
import { type Policy, usualPolicy } from '../../shared/access/policy.ts';
import type { Asking, RecordFacts, Sharing } from '../../shared/access/question.ts';
import { type Action, parseScopes } from '../../shared/access/scopes.ts';
import { chartAccess } from '../../shared/access/sharing.lazy.ts';
import { isDirectory, subjectOf } from '../../shared/record-types/subjects.ts';
import {
  isGrantedByModel,
  isSharedByModel,
  type ModelConsent,
  type ModelGrant,
  type ModelReader,
  type ModelRecord,
  modelProgramme,
} from '../support/access-model/consents.ts';
import { areRelatedByModel, type ModelStep } from '../support/access-model/relations.ts';
import { coding, concept, consents, grants, reader, record, steps } from '../support/access-model/worlds.ts';
import { baseUrl, type ChartOfWorld, rowsIn } from '../support/rows-of-world.ts';

const askingOf = ({ organization, fhirUser, roles }: ModelReader): Asking => ({
  caller: {
    subject: 's',
    name: 'n',
    client: 'c',
    organization,
    roles: roles as Asking['caller']['roles'],
    scopes: parseScopes('user/*.cruds system/*.cruds'),
    fhirUser,
    patient: undefined,
  },
  chart: undefined,
});

const factsOf = ({ custodian, id, labels, resource }: ModelRecord): RecordFacts => ({
  custodian,
  chart: 'chart',
  id,
  labels: labels.map(({ system, code }) => `${system}|${code}`),
  resource: resource as unknown as RecordFacts['resource'],
});

/** What the rows of a chart come to, as they are stored beside Consents, referrals and visits. */
const sharingIn = (
  given: readonly ModelConsent[],
  who: ModelReader,
  done: readonly ModelStep[] = [],
  policy: Partial<Policy> = {},
  opened: readonly ModelGrant[] = [],
  merged: readonly ChartOfWorld[] = [],
): Sharing | undefined => {
  const rows = rowsIn({ given, done, opened });
  const linked = merged.map((each, index) => ({ chart: `chart-${index}`, rows: rowsIn(each) }));
  const { caller } = askingOf(who);
  const network = {
    policy: { ...usualPolicy, ...policy },
    programmes: new Set([`Organization/${modelProgramme}`]),
    now: who.now,
  };
  return chartAccess({ rows, linked }, caller, network).sharing;
};

const decided = (sharing: Sharing | undefined, who: ModelReader, what: ModelRecord, action: Action): boolean => {
  const type = { name: what.type, subject: subjectOf(what.type), directory: isDirectory(what.type) };
  return decide(askingOf(who), action, type, factsOf(what), sharing).permit;
};

const lakeside: ModelReader = {
  organization: 'lakeside',
  fhirUser: 'Practitioner/reader',
  roles: ['physician'],
  now: Date.parse('2024-06-01'),
};
const observation: ModelRecord = {
  type: 'Observation',
  id: '1',
  custodian: 'northside',
  labels: [],
  resource: { resourceType: 'Observation', status: 'final', code: {}, subject: { reference: 'Patient/1' } },
};
const recipient = (reference: string): fhir4.ConsentProvisionActor => ({
  role: concept('v3-ParticipationType', 'IRCP'),
  reference: { reference },
});
const optIn = (provision?: fhir4.ConsentProvision, elements: Partial<fhir4.Consent> = {}): ModelConsent => ({
  custodian: 'northside',
  consent: {
    resourceType: 'Consent',
    status: 'active',
    scope: concept('consentscope', 'patient-privacy'),
    category: [{ text: 'privacy' }],
    policyRule: concept('v3-ActCode', 'OPTIN'),
    ...(provision ? { provision } : {}),
    ...elements,
  },
});
const part2 = coding('v3-ActCode', '42CFRPart2');
const toLakeside = { actor: [recipient('Organization/lakeside')] };
const isShared = (
  given: ModelConsent | readonly ModelConsent[],
  what: Partial<ModelRecord> = {},
  asking: Partial<ModelReader> = {},
): boolean => {
  const who = { ...lakeside, ...asking };
  return decided(sharingIn([given].flat() as ModelConsent[], who), who, { ...observation, ...what }, 'r');
};

describe('the decision about what another organisation keeps', () => {
  it('closes by all charts of a merged person, and opens by the one alone that is asked about', () => {
    const seen = { shared: 0, closed: 0, opens: 0 };
    const chart = fc.record({ given: consents, done: steps, opened: grants });
    fc.assert(
      fc.property(
        chart,
        fc.array(chart, { maxLength: 2 }),
        reader,
        record,
        fc.nat(3),
        (own, others, who, what, none) => {
          // Most Consents close more than they open, so most worlds have few.
          const merged = others.map((each) => (none === 0 ? each : { ...each, given: each.given.slice(0, 1) }));
          const policy = { sharing: 'treatment', relationDays: 30 } as const;
          const asked = { reader: who.organization, keeper: what.custodian, now: who.now, days: 30 };
          const given = none === 1 ? [] : own.given;
          const elsewhere = merged.flatMap((each) => each.given.map((consent) => ({ ...consent, elsewhere: true })));
          const related = areRelatedByModel(own.done, asked);
          const alone = isSharedByModel(given, who, what, related);
          const shared = isSharedByModel([...given, ...elsewhere], who, what, related);
          fc.pre(who.organization !== what.custodian && shared !== undefined && alone !== undefined);
          const broken = isGrantedByModel(own.opened, { ...who, subject: 's' }, what);
          const sharing = sharingIn(given, who, own.done, policy, own.opened, merged);

          expect(decided(sharing, who, what, 'r')).toBe(shared || broken);
          expect(decided(sharing, who, what, 'u')).toBe(false);
          // A merge lets nobody see more.
          expect(shared && !alone).toBe(false);
          if (shared && merged.length > 0) seen.shared++;
          if (alone && !shared) seen.closed++;
          const theirs = merged.some((each) =>
            decided(sharingIn(each.given, who, each.done, policy, each.opened), who, what, 'r'),
          );
          if (theirs && !shared && !broken) seen.opens++;
        },
      ),
      { numRuns: 1_500 },
    );
    // It is worth little unless charts close, and would open, what they are not asked about.
    expect(Math.min(...Object.values(seen))).toBeGreaterThan(5);
  });

  it('agrees with a reading of the Consents themselves, in every world that they may mean', () => {
    const seen = { shared: 0, not: 0, labelled: 0, exceptional: 0, related: 0, denied: 0, granted: 0 };
    fc.assert(
      fc.property(consents, reader, record, steps, grants, (some, who, what, done, opened) => {
        // Most Consents close more than they open. Half of the worlds have none, so that relationships come up as well.
        const given = done.length > 2 ? [] : some;
        const days = 30;
        const asked = { reader: who.organization, keeper: what.custodian, now: who.now, days };
        const related = areRelatedByModel(done, asked);
        const alone = isSharedByModel(given, who, what);
        const shared = isSharedByModel(given, who, what, related);
        fc.pre(who.organization !== what.custodian && shared !== undefined);
        const expected = shared || isGrantedByModel(opened, { ...who, subject: 's' }, what);
        const sharing = sharingIn(given, who, done, { sharing: 'treatment', relationDays: days }, opened);
        expect(decided(sharingIn(given, who, done), who, what, 'r')).toBe(alone);

        expect(decided(sharing, who, what, 'r')).toBe(expected);
        expect(decided(sharing, who, what, 's')).toBe(expected);
        expect(decided(sharing, who, what, 'u')).toBe(false);
        seen[expected ? 'shared' : 'not']++;
        if (expected && !shared) seen.granted++;
        if (shared && !alone) seen.related++;
        if (related && !shared) seen.denied++;
        if (expected && what.labels.length > 0) seen.labelled++;
        const open = given.map(({ custodian, consent }) => ({ custodian, consent: withoutExceptions(consent) }));
        if (!expected && isSharedByModel(open, who, what)) seen.exceptional++;
      }),
      { numRuns: 6_000 },
    );
    // The comparison is worth little unless all of it comes up: it does in more than thirty cases each.
    expect(Math.min(...Object.values(seen))).toBeGreaterThan(20);
  });

  it('shares nothing before a Consent, nor by one that is not in force', () => {
    expect(isShared([])).toBe(false);
    expect(isShared(optIn(toLakeside))).toBe(true);
    for (const status of ['draft', 'proposed', 'rejected', 'inactive', 'entered-in-error'] as const)
      expect(isShared(optIn(toLakeside, { status })), status).toBe(false);
    expect(isShared(optIn({ ...toLakeside, period: { start: '2024-06-02' } }))).toBe(false);
    expect(isShared(optIn({ ...toLakeside, period: { end: '2024-06-01' } }))).toBe(true);
    expect(isShared(optIn({ ...toLakeside, period: { end: '2024-05-31' } }))).toBe(false);
  });

  it('opens to whom the root provision names, and to everybody of the network where it names nobody', () => {
    expect(isShared(optIn(toLakeside), {}, { organization: 'hillside' })).toBe(false);
    expect(isShared(optIn({ actor: [recipient('Practitioner/reader')] }))).toBe(true);
    expect(isShared(optIn({ actor: [recipient('CareTeam/1')] }))).toBe(false);
    expect(isShared(optIn())).toBe(true);
  });

  it('lets deny win, within a Consent and among several', () => {
    const denyObservations: fhir4.ConsentProvision = {
      type: 'deny',
      class: [{ system: 'http://hl7.org/fhir/resource-types', code: 'Observation' }],
    };

    expect(isShared(optIn({ ...toLakeside, provision: [denyObservations, { type: 'permit' }] }))).toBe(false);
    expect(isShared([optIn(toLakeside), optIn({ provision: [denyObservations] })])).toBe(false);
    expect(isShared(optIn({ ...toLakeside, provision: [denyObservations] }), { type: 'Condition' })).toBe(true);
    expect(isShared([optIn(toLakeside), optIn(undefined, { policyRule: concept('v3-ActCode', 'OPTOUT') })])).toBe(
      false,
    );
  });

  it('lets a Consent that a guest of the chart keeps close and open only what the guest keeps', () => {
    const policyRule = concept('v3-ActCode', 'OPTOUT');
    const guests = { ...optIn(undefined, { policyRule }), custodian: 'hillside' };
    const open = [optIn(toLakeside), { ...optIn({ securityLabel: [part2] }), custodian: 'hillside' }];
    const ofHillside = { custodian: 'hillside' };

    expect(isShared([optIn(toLakeside), guests])).toBe(true);
    expect(isShared(open, ofHillside)).toBe(true);
    expect(isShared([...open, guests], ofHillside)).toBe(false);
  });

  it('lets what is closed have exceptions', () => {
    const policyRule = concept('v3-ActCode', 'OPTOUT');

    expect(isShared(optIn({ provision: [{ type: 'permit', ...toLakeside }] }, { policyRule }))).toBe(true);
    expect(
      isShared(
        optIn({ provision: [{ type: 'permit', ...toLakeside }] }, { policyRule }),
        {},
        { organization: 'hillside' },
      ),
    ).toBe(false);
  });

  it('keeps sensitive records closed until a provision names their labels', () => {
    const restricted = { system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'R' };
    const psychiatric = { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'PSY' };

    expect(isShared(optIn(toLakeside), { labels: [restricted] })).toBe(false);
    expect(isShared(optIn({ ...toLakeside, securityLabel: [restricted] }), { labels: [restricted] })).toBe(true);
    expect(isShared(optIn({ ...toLakeside, securityLabel: [restricted] }), { labels: [restricted, psychiatric] })).toBe(
      false,
    );
    expect(
      isShared(optIn({ ...toLakeside, securityLabel: [restricted, psychiatric] }), {
        labels: [restricted, psychiatric],
      }),
    ).toBe(true);
    expect(
      isShared(optIn({ ...toLakeside, securityLabel: [coding('v3-ActCode', 'PSYTHPN')] }), {
        labels: [{ ...psychiatric, code: 'PSYTHPN' }],
      }),
    ).toBe(false);
    expect(isShared(optIn({ ...toLakeside, provision: [{ type: 'deny', securityLabel: [restricted] }] }))).toBe(true);
  });

  it.each<[string, fhir4.ConsentProvision]>([
    ['a modifier', { modifierExtension: [{ url: 'http://s/x', valueBoolean: true }] }],
    ['an unknown action', { action: [concept('other', 'peek')] }],
    ['an unknown purpose', { purpose: [coding('other', 'TREAT')] }],
    ['a label without a system', { securityLabel: [{ code: 'N' }] }],
    ['a class of another standard', { class: [{ system: 'urn:cda', code: 'doc' }] }],
    ['a code that is a text', { code: [{ text: 'all' }] }],
    [
      'an actor that is modified',
      { actor: [{ ...recipient('Organization/lakeside'), modifierExtension: [{ url: 'http://s/x' }] }] },
    ],
    [
      'a keeper that is modified',
      {
        actor: [
          recipient('Organization/lakeside'),
          {
            role: concept('v3-ParticipationType', 'CST'),
            reference: { reference: 'Organization/northside' },
            modifierExtension: [{ url: 'http://s/x' }],
          },
        ],
      },
    ],
    [
      'data that are modified',
      {
        data: [
          {
            meaning: 'instance',
            reference: { reference: 'Observation/1' },
            modifierExtension: [{ url: 'http://s/x' }],
          },
        ],
      },
    ],
    ['data by its author', { data: [{ meaning: 'authoredby', reference: { reference: 'Observation/1' } }] }],
    [
      'a role that is not known',
      { actor: [{ role: concept('v3-RoleClass', 'AGNT'), reference: { reference: 'Organization/lakeside' } }] },
    ],
    ['a time of care that the record does not tell', { dataPeriod: { start: '2020-01-01' } }],
  ])('opens nothing by what is not understood, and closes by it: %s', (_name, unclear) => {
    expect(isShared(optIn({ ...toLakeside, ...unclear }))).toBe(false);
    expect(isShared(optIn({ ...toLakeside, provision: [{ type: 'deny', ...unclear }] }))).toBe(false);
  });

  it.each<[string, fhir4.CodeableConcept]>([
    ['of another system', { coding: [{ system: 'http://hl7.org/fhir/v3/ActCode', code: 'OPTOUT' }] }],
    ['without a system', { coding: [{ code: 'OPTOUT' }] }],
    ['that is a text', { text: 'Nobody else' }],
    ['of another code', concept('v3-ActCode', 'NOCONSENT')],
  ])('closes by a policy %s, with or without a provision', (_name, policyRule) => {
    expect(isShared([optIn(), optIn(undefined, { policyRule })])).toBe(false);
    expect(isShared([optIn(), optIn({ period: { start: '2024' } }, { policyRule })])).toBe(false);
    expect(isShared([optIn(), optIn({ period: { end: '2023' } }, { policyRule })])).toBe(true);
    expect(isShared(optIn(toLakeside, { policyRule }))).toBe(false);
    // Whatever the policy is, what it makes an exception of is not closed by it.
    expect(isShared([optIn(), optIn({ provision: [{ type: 'permit', ...toLakeside }] }, { policyRule })])).toBe(true);
  });

  it.each(['adr', 'research', 'treatment'])('is closed by a Consent to privacy and %s, and not opened', (other) => {
    const scope = { coding: [coding('consentscope', other), coding('consentscope', 'patient-privacy')] };
    const policyRule = concept('v3-ActCode', 'OPTOUT');

    expect(isShared([optIn(), optIn(undefined, { scope, policyRule })])).toBe(false);
    expect(isShared([optIn(), optIn(undefined, { scope: concept('consentscope', other), policyRule })])).toBe(true);
    expect(isShared(optIn(undefined, { scope }))).toBe(false);
  });

  it.each([
    ['access', 'collect'],
    ['collect', 'access'],
    ['correct', 'disclose'],
  ])('reads each coding of an action: %s, %s', (...codes) => {
    const action = [{ coding: codes.map((code) => coding('consentaction', code)) }];

    expect(isShared(optIn({ provision: [{ type: 'deny', action }] }))).toBe(false);
    expect(isShared(optIn({ action }))).toBe(true);
    expect(isShared(optIn({ action: [concept('consentaction', 'collect')] }))).toBe(false);
  });

  it('closes care by its time, in whatever order a record tells of it', () => {
    const february = optIn({ provision: [{ type: 'deny', dataPeriod: { start: '2023-02-01', end: '2023-02-28' } }] });
    const order = { resourceType: 'ServiceRequest', status: 'active', intent: 'order', subject: {} } as const;
    const asked = (times: Partial<fhir4.ServiceRequest>) =>
      isShared(february, { type: 'ServiceRequest', resource: { ...order, ...times } });

    expect(asked({ authoredOn: '2024-01-01', occurrenceDateTime: '2023-02-15' })).toBe(false);
    expect(asked({ authoredOn: '2024-01-01', occurrencePeriod: { start: '2023-02-15', end: '2023-12-01' } })).toBe(
      false,
    );
    expect(
      asked({
        authoredOn: '2023-01-15',
        occurrenceTiming: { event: ['2023-01-15'], repeat: { boundsDuration: { value: 3, code: 'mo' } } },
      }),
    ).toBe(false);
    expect(asked({ authoredOn: '2024-01-01', occurrenceDateTime: '2023-03-01' })).toBe(true);
  });

  it('opens no care by its time whose schedule does not tell when it ended', () => {
    const january = optIn({ dataPeriod: { start: '2024-01-01', end: '2024-01-31' } });
    const of = (effectiveTiming: fhir4.Timing) =>
      isShared(january, { resource: { ...(observation.resource as fhir4.Observation), effectiveTiming } });

    expect(of({ event: ['2024-01-15'] })).toBe(true);
    expect(of({ event: ['2024-01-15'], repeat: { boundsDuration: { value: 3, code: 'mo' } } })).toBe(false);
    expect(of({ repeat: { boundsPeriod: { start: '2024-01-15', end: '2024-01-16' }, frequency: 1 } })).toBe(true);
    expect(of({ repeat: { boundsPeriod: { start: '2024-01-15', end: '2024-02-16' }, duration: 1 } })).toBe(false);
  });

  it.each(['https://concord.test/fhir', 'http://concord.test/fhir', 'https://other.test', 'https://other.test/r4/x'])(
    'takes what is said to be on %s for what may be here',
    (server) => {
      const dependents: fhir4.ConsentProvision = {
        data: [{ meaning: 'dependents', reference: { reference: 'Encounter/e' } }],
      };
      const of = (reference: string, element: object = { encounter: { reference } }) => ({
        resource: { ...(observation.resource as fhir4.Observation), ...element },
      });
      const denied = optIn({ provision: [{ type: 'deny', ...dependents }] });

      expect(isShared(denied, of('Encounter/f'))).toBe(true);
      expect(isShared(denied, of('Encounter/e'))).toBe(false);
      expect(isShared(denied, of(`${server}/Encounter/e`))).toBe(false);
      expect(isShared(denied, of(`${server}/Encounter/e/_history/1`))).toBe(false);
      expect(isShared(denied, of('', { contained: [{ encounter: { reference: `${server}/Encounter/e` } }] }))).toBe(
        false,
      );
      expect(isShared(denied, of(`${server}/Encounter/f`))).toBe(true);
      expect(isShared(optIn(dependents), of('Encounter/e'))).toBe(true);
      expect(isShared(optIn(dependents), of(`${server}/Encounter/e`))).toBe(false);
    },
  );

  it('closes by the address of an attachment, as by a reference', () => {
    const of = (meaning: 'dependents' | 'instance', reference: string) =>
      optIn({ provision: [{ type: 'deny', data: [{ meaning, reference: { reference } }] }] });
    const attached = (url: string) => ({
      resource: { ...(observation.resource as fhir4.Observation), extension: [{ url: 'x', valueAttachment: { url } }] },
    });

    expect(isShared(of('dependents', 'Binary/b'), attached('Binary/b'))).toBe(false);
    expect(isShared(of('dependents', 'Binary/b'), attached('https://other.test/Binary/b'))).toBe(false);
    expect(isShared(of('instance', 'Binary/b'), attached('Binary/b'))).toBe(true);
    expect(isShared(of('dependents', 'Encounter/b'), attached('https://other.test/Encounter/b'))).toBe(false);
  });

  it.each<[string, boolean, readonly object[] | undefined]>([
    ['a record that may be shared', true, [{ reference: 'Observation/1' }]],
    ['a Consent', false, [{ reference: 'Consent/1' }]],
    ['a Consent among others', false, [{ reference: 'Observation/1' }, { reference: 'Consent/1' }]],
    ['a version of a Consent', false, [{ reference: 'Consent/1/_history/2' }]],
    ['a Consent on some server', false, [{ reference: 'https://other.test/fhir/Consent/1' }]],
    ['a Contract', false, [{ reference: 'Contract/1' }]],
    ['the access log', false, [{ reference: 'AuditEvent/1' }]],
    ['a Consent by identifier', false, [{ type: 'Consent', identifier: { value: '1' } }]],
    ['what is not known', false, [{ identifier: { value: '1' } }]],
    ['what is deleted', false, undefined],
  ])('shares a Provenance of %s: %s', (_name, shared, target) => {
    const resource = { resourceType: 'Provenance', target, recorded: '', agent: [] } as unknown as fhir4.Provenance;

    expect(isShared(optIn(), { type: 'Provenance', resource: target && resource })).toBe(shared);
  });

  it.each([
    [['lab'], true],
    [['lab', 'nurse'], true],
    [['system'], false],
    [['lab', 'system'], false],
    [['physician', 'frontdesk'], false],
  ])('knows what readers look for if all their roles treat: %j', (roles, known) => {
    const denied = optIn({ provision: [{ type: 'deny', purpose: [coding('v3-ActReason', 'HPAYMT')] }] });

    expect(isShared(denied, {}, { roles })).toBe(known);
    expect(isShared(optIn({ purpose: [coding('v3-ActReason', 'TREAT')] }), {}, { roles })).toBe(known);
  });

  it('lets no organisation’s Consents open what another one keeps', () => {
    expect(isShared({ ...optIn(toLakeside), custodian: 'hillside' })).toBe(false);
  });

  it('reads references to this server, however they are written', () => {
    expect(isShared(optIn({ actor: [recipient(`${baseUrl}/Organization/lakeside`)] }))).toBe(true);
    expect(isShared(optIn({ actor: [recipient('https://other.test/fhir/Organization/lakeside')] }))).toBe(false);
  });
});

const withoutExceptions = (consent: fhir4.Consent): fhir4.Consent => {
  if (!consent.provision) return consent;
  const { provision: _exceptions, ...root } = consent.provision;
  return { ...consent, provision: root };
};
