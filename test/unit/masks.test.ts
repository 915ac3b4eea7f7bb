import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { maskedReferences, saysMasked } from '../../shared/fhir/masks.ts';
import type { Resource } from '../../shared/fhir/resource.ts';
import { withoutMasks } from '../../shared/fhir/unmask.lazy.ts';

const hides = (name: string) => name.startsWith('Condition/');

const reference = fc.oneof(
  fc
    .constantFrom(
      'Condition/1',
      'Condition/2/_history/3',
      'https://elsewhere.example/fhir/Condition/9',
      'Patient/1',
      'Observation/7',
    )
    .map((text) => ({
      reference: text,
      display: `words about ${text}`,
    })),
  fc.constant({ display: 'no link' }),
);
const resource = fc
  .record({
    reasonReference: fc.array(reference, { minLength: 1, maxLength: 4 }),
    participant: fc.array(fc.record({ actor: reference, status: fc.constant('accepted') }), { maxLength: 3 }),
    text: fc.option(
      fc
        .constantFrom('Condition/1', 'Patient/1')
        .map((name) => ({ status: 'generated', div: `<div>See ${name}</div>` })),
      { nil: undefined },
    ),
    description: fc.string(),
  })
  .map((body) => JSON.parse(JSON.stringify({ resourceType: 'Appointment', id: 'a', ...body })) as Resource);

const version = 3;

describe('references to hidden records', () => {
  it('leave nothing of them behind', () => {
    fc.assert(
      fc.property(resource, (body) => {
        const shown = JSON.stringify(maskedReferences(body, version, hides));
        const named = JSON.stringify({ ...body, text: undefined }).includes('Condition/');
        expect(shown.includes('MASKED')).toBe(named);
        if (named) expect(shown).not.toContain('Condition');
      }),
    );
  });

  it('are as they were in what a client sends back, whatever else it changed or removed', () => {
    fc.assert(
      fc.property(resource, fc.nat(3), (body, removed) => {
        const shown = structuredClone(maskedReferences(body, version, hides)) as Record<string, unknown[]> & Resource;
        fc.pre(saysMasked(shown));
        shown.reasonReference?.splice(removed, 1);
        const expected = structuredClone(body) as Record<string, unknown[]> & Resource;
        expected.reasonReference?.splice(removed, 1);
        expect(withoutMasks({ ...shown, description: 'new' }, { version, resource: body }, hides)).toEqual({
          ...expected,
          description: 'new',
          meta: {},
        });
      }),
    );
  });

  it('do not come back under another version, place or number', () => {
    const body = { resourceType: 'Appointment', id: 'a', reasonReference: [{ reference: 'Condition/1' }] } as Resource;
    const shown = maskedReferences(body, version, hides);
    expect(() => withoutMasks(shown, { version: version + 1, resource: body }, hides)).toThrow(/read it again/);
    expect(() => withoutMasks(shown, undefined, hides)).toThrow(/read it again/);
    const forged = JSON.parse(JSON.stringify(shown).replace('masked-3-0', 'masked-3-1')) as Resource;
    expect(() => withoutMasks(forged, { version, resource: body }, hides)).toThrow(/read it again/);
  });

  it('are masked where an extension or a link of the narrative names one, and come back', () => {
    const xhtml = 'xmlns="http://www.w3.org/1999/xhtml"';
    const said: Record<string, unknown>[] = [
      { extension: [{ url: 'http://example.org/why', valueUri: 'Condition/1' }] },
      { extension: [{ url: 'http://example.org/why', valueUrl: 'https://other.example/fhir/Condition/1' }] },
      { extension: [{ url: 'http://example.org/why', valueAttachment: { url: 'Condition/1', title: 'Condition' } }] },
      { text: { status: 'generated', div: `<div ${xhtml}>of <a href='Condition/1'>the Condition</a></div>` } },
    ];
    for (const elements of said) {
      const body = { resourceType: 'Appointment', id: 'a', ...elements } as Resource;
      const shown = maskedReferences(body, version, hides);
      expect(JSON.stringify(shown)).not.toContain('Condition');
      if (body.extension) expect(JSON.stringify(shown)).toContain('http://example.org/why');
      expect(withoutMasks(shown, { version, resource: body }, hides)).toEqual({ ...body, meta: {} });
      const open = JSON.parse(JSON.stringify(body).replaceAll('Condition/', 'Patient/')) as Resource;
      expect(maskedReferences(open, version, hides)).toBe(open);
    }
  });
});
