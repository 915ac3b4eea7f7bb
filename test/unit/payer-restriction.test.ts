import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileConsent } from '../../shared/access/compile-consent.ts';
import { payersRestricted } from '../../shared/access/payer-restriction.ts';
import type { Resource } from '../../shared/fhir/resource.ts';
import { claim as claimType } from '../../shared/record-types/claim.ts';
import { isKeptFromPayerByModel } from '../support/access-model/consents.ts';
import { claims, moment, payerConsents } from '../support/access-model/worlds.ts';
import { asPayer, concept, consentBody, denial, hl7, recipient } from '../support/consents.ts';

// Which claims a patient's Consent keeps from a payer. That it is asked on every way is tested in test/http/payers.test.ts.

const now = Date.parse('2024-06-01T12:00:00Z');
const code = (value: string): fhir4.CodeableConcept => ({ coding: [{ system: 'http://s', code: value }] });
const toInsurer = { actor: [recipient('Organization/insurer')], purpose: asPayer };
const ofType = (type: string): fhir4.Coding => ({ system: 'http://hl7.org/fhir/resource-types', code: type });

const claim: fhir4.Claim = {
  resourceType: 'Claim',
  status: 'active',
  type: {},
  use: 'claim',
  patient: { reference: 'Patient/1' },
  created: '2024-06-01',
  provider: { reference: 'Organization/northside' },
  priority: {},
  billablePeriod: { start: '2024-05-01', end: '2024-05-02' },
  insurance: [{ sequence: 1, focal: true, coverage: { reference: 'Coverage/1' } }],
  item: [{ sequence: 1, productOrService: code('a'), encounter: [{ reference: 'Encounter/1' }] }],
};

const restricted = (consent: fhir4.Consent, resource: fhir4.Claim = claim): readonly string[] => {
  const rule = compileConsent(consent, 'https://concord.test/fhir');
  const record = {
    custodian: 'northside',
    chart: 'chart',
    id: '1',
    labels: [],
    resource: resource as unknown as Resource,
  };
  return rule ? payersRestricted(rule, { record, now }) : [];
};
const about = (provision: fhir4.ConsentProvision, elements: Partial<fhir4.Consent> = {}) =>
  denial('Patient/1', { ...toInsurer, ...provision }, elements);

describe('a restriction of what a payer is told', () => {
  it.each<[string, fhir4.Consent]>([
    ['whatever it is', about({})],
    ['by its code', about({ code: [code('a')] })],
    ['by what it refers to', about({ data: [{ meaning: 'instance', reference: { reference: 'Encounter/1' } }] })],
    ['by when care was given', about({ dataPeriod: { start: '2024-05-02' } })],
    ['as a claim', about({ class: [ofType('Claim')] })],
    ['as what is claimed', about({ class: [ofType('Procedure')], code: [code('a')] })],
    ['while it lasts', about({ period: { start: '2024-06-01', end: '2024-06-01' } })],
    ['for one of the two purposes', about({ purpose: asPayer.slice(0, 1) })],
    ['for a kind of payment', about({ purpose: [{ system: `${hl7}v3-ActReason`, code: 'ELIGVER' }] })],
    ['for treatment as well', about({ purpose: [...asPayer, { system: `${hl7}v3-ActReason`, code: 'TREAT' }] })],
    ['by words that may mean anything', about({ code: [{ text: 'my knee' }] })],
    ['as an exception', consentBody('Patient/1', { provision: [{ type: 'deny', ...toInsurer }] })],
    [
      'by a policy that closes everything',
      consentBody('Patient/1', toInsurer, { policyRule: concept('v3-ActCode', 'OPTOUT') }),
    ],
    ['in words that are not all understood', about({ modifierExtension: [{ url: 'http://s/x', valueBoolean: true }] })],
    ['with an exception for something else', about({ provision: [{ type: 'permit', code: [code('b')] }] })],
  ])('keeps a claim from the insurer: %s', (_name, consent) => {
    expect(restricted(consent)).toEqual(['Organization/insurer']);
  });

  it.each<[string, fhir4.Consent]>([
    ['of another code', about({ code: [code('b')] })],
    ['of another visit', about({ data: [{ meaning: 'dependents', reference: { reference: 'Encounter/2' } }] })],
    ['of another time', about({ dataPeriod: { start: '2024-05-03' } })],
    ['of what is no care', about({ class: [ofType('Appointment')] })],
    ['that is over', about({ period: { end: '2024-05-31' } })],
    ['that has not begun', about({ period: { start: '2024-06-02' } })],
    ['for another purpose', about({ purpose: [{ system: `${hl7}v3-ActReason`, code: 'TREAT' }] })],
    ['for no purpose: an insurer has to know what it is to pay', denial('Patient/1', { actor: toInsurer.actor })],
    ['that names nobody', denial('Patient/1', { purpose: asPayer })],
    ['of what another organisation keeps', about({ actor: [...toInsurer.actor, keeper('lakeside')] })],
    ['that is not in force', about({}, { status: 'proposed' })],
    ['that permits', consentBody('Patient/1', toInsurer)],
    ['that closes everything', consentBody('Patient/1', {}, { policyRule: concept('v3-ActCode', 'OPTOUT') })],
    ['with an exception', about({ provision: [{ type: 'permit', class: [ofType('Claim')] }] })],
  ])('keeps no claim from it by a provision %s', (_name, consent) => {
    expect(restricted(consent)).toEqual([]);
  });

  it('is what a provision within another one says of another payer, too', () => {
    const other = { ...toInsurer, actor: [recipient('Organization/other')] };
    const within = about({ provision: [{ type: 'permit', provision: [{ type: 'deny', ...other }] }] });

    expect(restricted(about({ provision: [{ type: 'deny', ...other }] }))).toContain('Organization/other');
    expect(restricted(within)).toContain('Organization/other');
  });

  it('is about those who are named, and nobody else', () => {
    const others = [recipient('Organization/other'), recipient('Practitioner/x'), recipient('Organization/insurer')];

    expect(restricted(about({ actor: others }))).toEqual(['Organization/other', 'Organization/insurer']);
  });
});

describe('the restriction', () => {
  it('agrees with a reading of the Consents themselves', () => {
    const seen = { kept: 0, not: 0 };
    fc.assert(
      fc.property(payerConsents, claims, moment, (consent, made, time) => {
        const expected = isKeptFromPayerByModel(consent, 'lakeside', made, time);
        fc.pre(expected !== undefined);
        const rule = compileConsent(consent, 'https://concord.test/fhir');
        const record = { ...made, chart: 'chart', labels: [], resource: made.resource as unknown as Resource };
        const payers = rule ? payersRestricted(rule, { record, now: time }) : [];
        expect(payers.includes('Organization/lakeside')).toBe(expected);
        seen[expected ? 'kept' : 'not']++;
      }),
      { numRuns: 10_000 },
    );
    // The comparison is worth little unless both come up: each does in more than a thousand cases.
    expect(Math.min(seen.kept, seen.not)).toBeGreaterThan(200);
  });
});

describe('a claim', () => {
  it.each<[boolean, string, Partial<fhir4.Claim>]>([
    [true, 'made today', {}],
    [true, 'made within the last month', { created: '2024-05-03' }],
    [true, 'for an authorisation', { use: 'preauthorization' }],
    [false, 'of the past', { created: '2024-05-01' }],
    [false, 'that is a draft', { status: 'draft' }],
    [false, 'that was cancelled', { status: 'cancelled' }],
    [false, 'that was entered in error', { status: 'entered-in-error' }],
  ])('asks a payer now: %s, %s', (asks, _name, elements) => {
    expect(claimType.asksPayer?.({ ...claim, ...elements } as unknown as Resource, now)).toBe(asks);
  });
});

function keeper(organization: string): fhir4.ConsentProvisionActor {
  return { role: concept('v3-ParticipationType', 'CST'), reference: { reference: `Organization/${organization}` } };
}
