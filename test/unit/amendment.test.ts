import { describe, expect, it } from 'vitest';
import { amendmentSystem, requestCode, requireAmendmentStep } from '../../shared/access/amendment.ts';
import type { Caller, Role } from '../../shared/access/caller.ts';
import { RecordError } from '../../shared/errors.ts';
import type { Resource } from '../../shared/fhir/resource.ts';

const by = (role: Role): Caller => ({
  subject: 's',
  name: 'n',
  client: 'c',
  organization: role === 'patient' ? undefined : 'northside',
  roles: [role],
  scopes: [],
  fhirUser: 'Practitioner/p',
  patient: undefined,
});
const request = (over: Partial<fhir4.Task> = {}): Resource =>
  ({
    resourceType: 'Task',
    status: 'requested',
    intent: 'order',
    code: { coding: [{ system: amendmentSystem, code: requestCode }] },
    focus: { reference: 'Observation/1' },
    for: { reference: 'Patient/1' },
    restriction: { period: { start: '2026-01-01T00:00:00Z', end: '2026-03-02T00:00:00Z' } },
    ...over,
  }) as Resource;
const outcome = (before: Resource | undefined, next: Resource | undefined, role: Role): string => {
  try {
    requireAmendmentStep(before, next, by(role));
    return 'allowed';
  } catch (error) {
    if (!(error instanceof RecordError)) throw error;
    return error.reason;
  }
};

describe('a request for an amendment, written by hand', () => {
  const cases: readonly (readonly [string, Partial<fhir4.Task>, Partial<fhir4.Task> | undefined, Role, string])[] = [
    ['is taken on by a privacy officer', {}, { status: 'received' }, 'privacy', 'allowed'],
    ['is taken on by a physician', { status: 'received' }, { status: 'in-progress' }, 'physician', 'allowed'],
    ['is not taken on by a nurse', {}, { status: 'received' }, 'nurse', 'forbidden-role'],
    ['is withdrawn by the patient', {}, { status: 'cancelled' }, 'patient', 'allowed'],
    ['is not withdrawn by staff', {}, { status: 'cancelled' }, 'privacy', 'forbidden-role'],
    ['is not taken on by the patient', {}, { status: 'received' }, 'patient', 'forbidden-role'],
    ['is not accepted', {}, { status: 'completed' }, 'privacy', 'amendment-by-operation'],
    ['is not denied', {}, { status: 'rejected' }, 'physician', 'amendment-by-operation'],
    ['is not accepted by another word', {}, { status: 'accepted' }, 'patient', 'amendment-by-operation'],
    ['is not opened again', { status: 'rejected' }, { status: 'requested' }, 'privacy', 'amendment-decided'],
    ['is not taken on once withdrawn', { status: 'cancelled' }, { status: 'received' }, 'privacy', 'amendment-decided'],
    [
      'keeps its ground',
      { status: 'rejected' },
      { status: 'rejected', statusReason: { text: 'x' } },
      'privacy',
      'amendment-decided',
    ],
    ['is not dropped as an error', {}, { status: 'entered-in-error' }, 'physician', 'amendment-by-operation'],
    ['keeps its notes', { note: [{ text: 'x' }] }, { note: [{ text: 'y' }] }, 'nurse', 'amendment-changed'],
    ['loses no note', { note: [{ text: 'x' }] }, { note: [] }, 'nurse', 'amendment-changed'],
    ['gets further notes', { note: [{ text: 'x' }] }, { note: [{ text: 'x' }, { text: 'y' }] }, 'nurse', 'allowed'],
    [
      'gets no note once it is decided',
      { status: 'rejected' },
      { status: 'rejected', note: [{ text: 'y' }] },
      'nurse',
      'amendment-decided',
    ],
    [
      'is written again as it is once it is decided',
      { status: 'rejected' },
      { status: 'rejected' },
      'nurse',
      'allowed',
    ],
    [
      'is described by no other words once it is decided',
      { status: 'rejected' },
      { status: 'rejected', description: 'x' },
      'privacy',
      'amendment-decided',
    ],
    ['gets no other record', {}, { focus: { reference: 'Observation/2' } }, 'privacy', 'amendment-changed'],
    ['gets no more time', {}, { restriction: { period: { end: '2027-01-01' } } }, 'privacy', 'amendment-changed'],
    ['does not become another task', {}, { code: { text: 'x' } }, 'system', 'amendment-changed'],
    ['gets notes from whoever may write tasks', {}, { note: [{ text: 'x' }] }, 'frontdesk', 'allowed'],
    ['is not deleted', {}, undefined, 'physician', 'amendment-stays'],
  ];
  it.each(cases)('%s', (_name, before, next, role, expected) => {
    expect(outcome(request(before), next && request({ ...before, ...next }), role)).toBe(expected);
  });

  it('is not made of another task', () => {
    expect(outcome(request({ code: { text: 'x' } }), request(), 'physician')).toBe('amendment-asked');
    expect(outcome(request({ code: { text: 'x' } }), undefined, 'physician')).toBe('allowed');
  });

  it('is not written as a first version, but by who imports what was', () => {
    for (const status of ['requested', 'completed', 'rejected'] as const) {
      for (const role of ['nurse', 'frontdesk', 'patient', 'privacy', 'physician', 'admin'] as const)
        expect(outcome(undefined, request({ status }), role)).toBe('amendment-asked');
      expect(outcome(undefined, request({ status }), 'system')).toBe('allowed');
    }
    expect(outcome(undefined, request({ code: { text: 'x' } }), 'nurse')).toBe('allowed');
  });
});
