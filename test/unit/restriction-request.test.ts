import { describe, expect, it } from 'vitest';
import type { Role } from '../../shared/access/caller.ts';
import { usualPolicy } from '../../shared/access/policy.ts';
import {
  asksCustodian,
  requireRestrictionAnswered,
  restrictionRequest,
} from '../../shared/access/restriction-request.ts';
import type { Resource } from '../../shared/fhir/resource.ts';
import { asPayer, concept, consentBody, denial, recipient } from '../support/consents.ts';

// What a Consent asks of the organisation that keeps it, and who answers that. The way over HTTP is tested in test/http/restrictions.test.ts.

const own = recipient('Organization/northside');
const lakeside = recipient('Organization/lakeside');
const physician = recipient('Practitioner/1');
const optOut = { policyRule: concept('v3-ActCode', 'OPTOUT') };
const keeper = (organization: string): fhir4.ConsentProvisionActor => ({
  role: concept('v3-ParticipationType', 'CST'),
  reference: { reference: `Organization/${organization}` },
});
const asked = {
  custodian: 'northside',
  baseUrl: 'https://concord.test/fhir',
  now: Date.parse('2024-06-01T12:00:00Z'),
  policy: usualPolicy,
};
const subject = 'Patient/1';

describe('a Consent asks its own custodian for a restriction', () => {
  it.each<[boolean, string, fhir4.Consent]>([
    [true, 'by name', denial(subject, { actor: [own] })],
    [true, 'among others', denial(subject, { actor: [lakeside, own] })],
    [
      true,
      'by the address of this server',
      denial(subject, { actor: [recipient(`${asked.baseUrl}/Organization/northside`)] }),
    ],
    [true, 'where it names nobody', denial(subject, { dataPeriod: { start: '2024-01-01' } })],
    [true, 'about somebody who may work there', denial(subject, { actor: [physician] })],
    [
      true,
      'about a role that may be there',
      denial(subject, { actor: [{ ...own, role: concept('v3-RoleClass', 'AGNT') }] }),
    ],
    [true, 'for payment', denial(subject, { actor: [own], purpose: asPayer })],
    [true, 'about what it keeps itself', denial(subject, { actor: [own, keeper('northside')] })],
    [true, 'from a day to come', denial(subject, { actor: [own], period: { start: '2025-01-01' } })],
    [true, 'within what is opened to it', consentBody(subject, { actor: [own], provision: [{ type: 'deny' }] })],
    [
      true,
      'within what is opened to others',
      consentBody(subject, { actor: [own, lakeside], provision: [{ type: 'deny', actor: [own] }] }),
    ],
    [true, 'as the word of a policy that closes', consentBody(subject, { actor: [own] }, optOut)],
    [true, 'beside a policy that closes', denial(subject, {}, optOut)],
    [
      true,
      'in a scope that is not understood alone',
      denial(subject, { actor: [own] }, { scope: { text: 'privacy' } }),
    ],
    [false, 'to another organisation', denial(subject, { actor: [lakeside] })],
    [false, 'to a payer', denial(subject, { actor: [lakeside], purpose: asPayer })],
    [false, 'about what another one keeps', denial(subject, { actor: [own, keeper('lakeside')] })],
    [false, 'that has lapsed', denial(subject, { actor: [own], period: { end: '2024-05-31' } })],
    [false, 'that is not active', denial(subject, { actor: [own] }, { status: 'inactive' })],
    [false, 'by a policy that closes to others', consentBody(subject, { actor: [lakeside] }, optOut)],
    [
      false,
      'by a policy alone',
      consentBody(subject, {}, { ...optOut, provision: { period: { start: '2024-01-01' } } }),
    ],
    [false, 'as an exception from what is opened', consentBody(subject, { provision: [{ type: 'deny' }] })],
    [false, 'as one for somebody there', consentBody(subject, { provision: [{ type: 'deny', actor: [physician] }] })],
    [false, 'that permits', consentBody(subject, { actor: [own] })],
  ])('%s: %s', (asks, _name, consent) => {
    expect(asksCustodian(consent, asked)).toBe(asks);
  });

  it('of which one Task tells until it changes, or is no more', () => {
    const change = (before: fhir4.Consent | undefined, next: fhir4.Consent | undefined) =>
      restrictionRequest({
        ...asked,
        name: 'Consent/1',
        before: before as unknown as Resource,
        next: next as unknown as Resource,
      }).map((raised) => ('opens' in raised ? 'opened' : 'cancelled'));
    const request = denial(subject, { actor: [own] });
    const other = denial(subject, { actor: [lakeside] });

    expect(change(undefined, request)).toEqual(['opened']);
    expect(change(undefined, other)).toEqual([]);
    expect(change(other, request)).toEqual(['opened']);
    expect(change(request, { ...request, dateTime: '2024-06-01' })).toEqual([]);
    expect(change(request, denial(subject, { actor: [own], period: { end: '2025' } }))).toEqual([
      'cancelled',
      'opened',
    ]);
    expect(change(request, other)).toEqual(['cancelled']);
    expect(change(request, { ...request, status: 'entered-in-error' })).toEqual(['cancelled']);
    expect(change(request, undefined)).toEqual(['cancelled']);
  });
});

describe('the Task of a requested restriction', () => {
  const [opened] = restrictionRequest({
    ...asked,
    name: 'Consent/1',
    before: undefined,
    next: denial(subject, { actor: [own] }) as unknown as Resource,
  });
  const task = (opened && 'opens' in opened ? opened.opens : {}) as unknown as fhir4.Task;
  const reason = { text: 'Records of this clinic are behind a lock' };
  const answer = (
    elements: Partial<fhir4.Task> | undefined,
    role: Role = 'privacy',
    before: fhir4.Task | undefined = task,
  ) => {
    const next = elements && ({ ...task, ...elements } as unknown as Resource);
    const caller = {
      subject: 's',
      name: 'n',
      client: 'c',
      organization: 'northside',
      roles: [role],
      scopes: [],
      fhirUser: 'Practitioner/1',
      patient: undefined,
    };
    try {
      requireRestrictionAnswered(before as unknown as Resource | undefined, next, caller);
      return 'taken';
    } catch (error) {
      return (error as { reason?: string }).reason;
    }
  };

  it('is for the privacy officers, about the Consent, until a day', () => {
    expect(task).toMatchObject({
      status: 'requested',
      focus: { reference: 'Consent/1' },
      for: { reference: subject },
      owner: { reference: 'Organization/northside' },
      performerType: [{ text: 'Privacy officer' }],
      restriction: { period: { start: '2024-06-01T12:00:00.000Z', end: '2024-07-01T12:00:00.000Z' } },
    });
  });

  it.each<[string, Partial<fhir4.Task> | undefined, string]>([
    ['taken on', { status: 'received', note: [{ text: 'Asked the clinic' }] }, 'taken'],
    ['accepted with a statement', { status: 'accepted', statusReason: reason }, 'taken'],
    ['rejected with a statement', { status: 'rejected', statusReason: reason }, 'taken'],
    ['accepted without one', { status: 'accepted' }, 'restriction-needs-reason'],
    ['rejected with hardly one', { status: 'rejected', statusReason: { text: 'No.' } }, 'restriction-needs-reason'],
    ['begun, from where no answer follows', { status: 'in-progress' }, 'restriction-stays'],
    ['dropped', { status: 'cancelled', statusReason: reason }, 'restriction-stays'],
    ['done', { status: 'completed', statusReason: reason }, 'restriction-stays'],
    ['deleted', undefined, 'restriction-stays'],
    ['about another Consent', { focus: { reference: 'Consent/2' } }, 'restriction-changed'],
    ['for later', { restriction: { period: { end: '2030-01-01' } } }, 'restriction-changed'],
    ['something else', { code: { text: 'x' } }, 'restriction-changed'],
  ])('is %s by a privacy officer: %o is %s', (_name, elements, outcome) => {
    expect(answer(elements)).toBe(outcome);
  });

  it('is answered once, by privacy officers alone, and written by nobody but with its Consent', () => {
    const rejected: fhir4.Task = { ...task, status: 'rejected', statusReason: reason };

    expect(answer({ status: 'accepted', statusReason: reason }, 'privacy', rejected)).toBe('restriction-answered');
    for (const role of ['physician', 'nurse', 'system', 'patient', 'frontdesk'] as const)
      expect(answer({ status: 'rejected', statusReason: reason }, role), role).toBe('forbidden-role');
    const plain: fhir4.Task = { resourceType: 'Task', status: 'requested', intent: 'order' };
    expect(answer({}, 'privacy', plain)).toBe('restriction-asked');
    expect(firstBy('privacy')).toBe('restriction-asked');
    expect(firstBy('system')).toBe('taken');
  });

  const firstBy = (role: Role) => {
    try {
      requireRestrictionAnswered(undefined, task as unknown as Resource, {
        subject: 's',
        name: 'n',
        client: 'c',
        organization: 'northside',
        roles: [role],
        scopes: [],
        fhirUser: 'Practitioner/1',
        patient: undefined,
      });
      return 'taken';
    } catch (error) {
      return (error as { reason?: string }).reason;
    }
  };
});
