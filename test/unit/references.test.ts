import { describe, expect, it } from 'vitest';
import { parseReference, referencesIn } from '../../shared/fhir/references.ts';

const base = 'https://concord.test/fhir';

describe('parseReference', () => {
  it.each([
    ['Patient/p-1', { kind: 'record', type: 'Patient', id: 'p-1', version: undefined }],
    ['Patient/p-1/_history/2', { kind: 'record', type: 'Patient', id: 'p-1', version: '2' }],
    [`${base}/Patient/p-1`, { kind: 'record', type: 'Patient', id: 'p-1', version: undefined }],
    ['#med', { kind: 'contained', id: 'med' }],
    ['#', { kind: 'contained', id: '' }],
    [
      'urn:uuid:05efabf0-4be2-4561-91ce-51548425acb9',
      { kind: 'urn', urn: 'urn:uuid:05efabf0-4be2-4561-91ce-51548425acb9' },
    ],
    ['urn:oid:1.2.3', { kind: 'urn', urn: 'urn:oid:1.2.3' }],
    ['Practitioner?identifier=a|b?c', { kind: 'conditional', type: 'Practitioner', query: 'identifier=a|b?c' }],
    [
      'https://elsewhere.example/fhir/Patient/p-1',
      { kind: 'foreign', url: 'https://elsewhere.example/fhir/Patient/p-1' },
    ],
    [`${base}evil/Patient/p-1`, { kind: 'foreign', url: `${base}evil/Patient/p-1` }],
    ['Patience/p-1', { kind: 'malformed' }],
    ['patient/p-1', { kind: 'malformed' }],
    ['Patient/', { kind: 'malformed' }],
    ['Patient', { kind: 'malformed' }],
    ['Patient/p 1', { kind: 'malformed' }],
    [`Patient/${'p'.repeat(65)}`, { kind: 'malformed' }],
    ['/Patient/p-1', { kind: 'malformed' }],
    ['Patience?name=x', { kind: 'malformed' }],
    ['', { kind: 'malformed' }],
  ])('reads "%s"', (reference, expected) => {
    expect(parseReference(reference, base)).toEqual(expected);
  });
});

const order = () => ({
  resourceType: 'MedicationRequest',
  contained: [{ resourceType: 'Medication', id: 'med', manufacturer: { reference: 'Organization/o' } }],
  medicationReference: { reference: '#med' },
  subject: { reference: 'Patient/p' },
  note: [{ authorReference: { reference: 'Practitioner/a' }, text: 'See Patient/q' }, { text: 'reference' }],
});

describe('referencesIn', () => {
  it('finds every reference with its expression, contained resources included, in document order', () => {
    expect(referencesIn(order())).toEqual([
      { reference: 'Organization/o', expression: 'MedicationRequest.contained[0].manufacturer.reference' },
      { reference: '#med', expression: 'MedicationRequest.medicationReference.reference' },
      { reference: 'Patient/p', expression: 'MedicationRequest.subject.reference' },
      { reference: 'Practitioner/a', expression: 'MedicationRequest.note[0].authorReference.reference' },
    ]);
  });
});
