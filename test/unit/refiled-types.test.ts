import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Resource } from '../../shared/fhir/resource.ts';
import { recordTypes } from '../../shared/record-types/index.ts';
import { copyOf, refiledAs } from '../../shared/refiling/copy.ts';

const document = readFileSync(path.resolve(import.meta.dirname, '../../docs/people.md'), 'utf8');

/** The types of the row that begins so. */
const typesIn = (beginning: string): string[] => {
  const row = document.split('\n').find((line) => line.startsWith(`| ${beginning}`)) ?? '';
  return (row.split('|')[2] ?? '').trim().split(', ');
};

describe('docs/people.md', () => {
  it.each([
    ['refiled', 'copy'],
    ['goes with', 'remark'],
  ] as const)('lists the types of which a record that was in the wrong chart is %s', (beginning, as) => {
    const types = recordTypes.filter((type) => refiledAs(type) === as).map(({ name }) => name);

    expect(typesIn(beginning).sort()).toEqual(types.sort());
  });
});

describe('a copy', () => {
  it('is called by its new names, and names nothing that was left out, nor the name beside it', () => {
    const resource = {
      resourceType: 'Observation',
      id: 'old',
      meta: { tag: [{ code: 'x' }], profile: ['http://p'] },
      text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml">Ms Wrong</div>' },
      subject: { reference: 'Patient/w', display: 'Ms Wrong' },
      hasMember: [{ reference: 'Observation/w.1' }, { reference: 'Observation/w.2', display: 'kept to itself' }],
      performer: [{ reference: 'Practitioner/p', display: 'Dr Who' }],
      extension: [{ url: 'http://e', valueReference: { reference: 'Encounter/w.3' } }],
    } as unknown as Resource;
    const names: Record<string, string> = {
      'Patient/w': 'Patient/r',
      'Observation/w.1': 'Observation/r.1',
      'Observation/w.2': 'left-out',
      'Encounter/w.3': 'left-out',
    };
    const absent = {
      extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/data-absent-reason', valueCode: 'not-applicable' }],
    };

    expect(
      copyOf(
        resource,
        (name) => names[name],
        () => false,
      ),
    ).toEqual({
      resourceType: 'Observation',
      meta: { profile: ['http://p'] },
      subject: { reference: 'Patient/r' },
      hasMember: [{ reference: 'Observation/r.1' }, absent],
      performer: [{ reference: 'Practitioner/p', display: 'Dr Who' }],
      extension: [{ url: 'http://e', valueReference: absent }],
    });
  });
});
