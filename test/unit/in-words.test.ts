import { describe, expect, it } from 'vitest';
import type { AuditEntry } from '../../shared/audit/audit-row.ts';
import { inWords, narrativeOf, type Told } from '../../shared/audit/in-words.ts';

const entry = (over: Partial<AuditEntry> = {}): AuditEntry => ({
  at: Date.UTC(2026, 10, 26, 14, 5),
  interaction: 'read',
  what: [],
  subject: 'sub-1',
  name: 'nurse@northside.example',
  client: 'app',
  fhirUser: 'Practitioner/northside-nurse',
  roles: ['nurse'],
  organization: 'northside',
  request: 'r-1',
  ...over,
});
const told = (over: Partial<Told> = {}): Told => ({
  organization: 'Northside Clinic',
  person: 'Nora Nord',
  own: false,
  things: ['the observation “Blood pressure” of 3 May 2026'],
  chart: 'your record',
  refused: false,
  ...over,
});

describe('an access in words', () => {
  const cases: readonly (readonly [Partial<AuditEntry>, Partial<Told>, string])[] = [
    [
      {},
      {},
      'On 26 November 2026 at 14:05 UTC, nurse Nora Nord of Northside Clinic read the observation “Blood pressure” of 3 May 2026.',
    ],
    [
      {},
      { refused: true, things: ['the observation'], person: undefined },
      'On 26 November 2026 at 14:05 UTC, nurse nurse@northside.example of Northside Clinic wanted to read the observation, and was shown nothing.',
    ],
    [
      { interaction: 'search-type', query: 'MedicationRequest?patient=1' },
      { things: [], own: true },
      'On 26 November 2026 at 14:05 UTC, you searched for records of the kind “medication request”.',
    ],
    [
      { interaction: 'operation', query: 'Patient/1/$everything' },
      { things: ['your record'] },
      'On 26 November 2026 at 14:05 UTC, nurse Nora Nord of Northside Clinic read the whole of your record.',
    ],
    [
      { interaction: 'sign-in', outcome: 'failed' },
      { things: ['your record'] },
      'On 26 November 2026 at 14:05 UTC, nurse Nora Nord of Northside Clinic wanted to sign in, and was not let in.',
    ],
    [
      { interaction: 'search-type', query: 'MedicationRequest', outcome: 'refused', refusal: 'forbidden-role' },
      { things: [] },
      'On 26 November 2026 at 14:05 UTC, nurse Nora Nord of Northside Clinic wanted to search for records of the kind “medication request”, and may not (forbidden-role).',
    ],
    [
      { interaction: 'sign-out' },
      { things: [] },
      'On 26 November 2026 at 14:05 UTC, nurse Nora Nord of Northside Clinic signed out.',
    ],
    [
      { interaction: 'operation', query: 'Patient/1/$strange-thing' },
      { things: ['your record'] },
      'On 26 November 2026 at 14:05 UTC, nurse Nora Nord of Northside Clinic used $strange-thing on your record.',
    ],
    [
      { interaction: 'update' },
      { things: ['a', 'b', 'c', 'd', 'e'] },
      'On 26 November 2026 at 14:05 UTC, nurse Nora Nord of Northside Clinic changed a, b, c and 2 more records.',
    ],
    [
      {
        disclosure: {
          recipient: 'County Court',
          address: '1 Court Square',
          date: '2026-03-02',
          description: 'Visits of 2025',
          purpose: 'subpoena',
        },
      },
      {},
      'On 2 March 2026, this was disclosed to County Court (1 Court Square): Visits of 2025. Purpose: subpoena. nurse Nora Nord of Northside Clinic recorded it on 26 November 2026.',
    ],
  ];
  it.each(cases)('%j with %j', (over, known, expected) => {
    expect(inWords(entry(over), told(known))).toBe(expected);
  });
});

describe('the narrative', () => {
  it('is text, whatever names and codes hold', () => {
    const { div } = narrativeOf('<img src=x onerror="a()"> & \u0001 </div>');

    expect(div).toBe(
      '<div xmlns="http://www.w3.org/1999/xhtml">&lt;img src=x onerror=&quot;a()&quot;&gt; &amp;  &lt;/div&gt;</div>',
    );
  });
});
