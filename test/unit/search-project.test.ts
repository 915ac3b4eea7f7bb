import { describe, expect, it } from 'vitest';
import { elementTable } from '../../infra/generate/element-tables.ts';
import { structureDefinitions } from '../../infra/generate/structure-definitions.ts';
import { observationElements } from '../../shared/fhir/generated/search-parameters/Observation.ts';
import { parseJson, stringifyJson } from '../../shared/fhir/json.ts';
import type { Resource } from '../../shared/fhir/resource.ts';
import { project, subsetted } from '../../shared/search/project.ts';
import { sampleResources } from '../support/resources/index.ts';
import { elementTables, searchParameters } from '../support/search-parameters.ts';

const tableOf = (resource: Resource): string => elementTables[resource.resourceType] ?? '';
const shown = (resource: Resource, how: Parameters<typeof project>[1]) => project(resource, how, tableOf(resource));
const tag = [subsetted];

const observation: Resource = {
  resourceType: 'Observation',
  id: 'o1',
  meta: { versionId: '3', tag: [{ code: 'mine' }] },
  implicitRules: 'http://acme.org/rules',
  language: 'en',
  text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml">5</div>' },
  contained: [{ resourceType: 'Device', id: 'd' }],
  extension: [{ url: 'http://acme.org/x', valueString: 'x' }],
  modifierExtension: [{ url: 'http://acme.org/y', valueBoolean: true }],
  status: 'final',
  _status: { id: 's' },
  category: [{ text: 'vital' }],
  code: { text: 'weight' },
  valueQuantity: { value: 5 },
  interpretation: [{ text: 'high' }],
  note: [{ text: 'measured twice' }],
  component: [{ id: 'c', code: { text: 'part' }, valueString: 'x', interpretation: [{ text: 'low' }] }],
};

describe('_summary', () => {
  it('true keeps what the definitions mark, within elements too', () => {
    expect(shown(observation, { summary: 'true' })).toEqual({
      resourceType: 'Observation',
      id: 'o1',
      meta: { versionId: '3', tag: [{ code: 'mine' }, ...tag] },
      implicitRules: 'http://acme.org/rules',
      modifierExtension: [{ url: 'http://acme.org/y', valueBoolean: true }],
      status: 'final',
      _status: { id: 's' },
      code: { text: 'weight' },
      valueQuantity: { value: 5 },
      component: [{ code: { text: 'part' }, valueString: 'x' }],
    });
  });

  it('text keeps the narrative and what is mandatory', () => {
    expect(shown(observation, { summary: 'text' })).toEqual({
      resourceType: 'Observation',
      id: 'o1',
      meta: { versionId: '3', tag: [{ code: 'mine' }, ...tag] },
      text: observation['text'],
      status: 'final',
      _status: { id: 's' },
      code: { text: 'weight' },
    });
  });

  it('text keeps a mandatory choice', () => {
    const given: Resource = {
      resourceType: 'MedicationAdministration',
      status: 'completed',
      medicationReference: { reference: 'Medication/1' },
      dosage: {},
    };

    expect(shown(given, { summary: 'text' })).toEqual({
      resourceType: 'MedicationAdministration',
      status: 'completed',
      medicationReference: { reference: 'Medication/1' },
      meta: { tag },
    });
  });

  it('data leaves out the narrative alone', () => {
    const { text: _, ...data } = observation;

    expect(shown(observation, { summary: 'data' })).toEqual({
      ...data,
      meta: { versionId: '3', tag: [{ code: 'mine' }, ...tag] },
    });
  });

  it('data keeps the extensions of a primitive that has no value', () => {
    const unknown: Resource = { resourceType: 'Patient', _birthDate: { extension: [{ url: 'http://acme.org/why' }] } };

    expect(shown(unknown, { summary: 'data' })).toEqual({ ...unknown, meta: { tag } });
  });

  it.each(['false', 'count', undefined] as const)('%s leaves the resource as it is', (summary) => {
    expect(shown(observation, { summary })).toBe(observation);
  });

  it('true leaves out the contents of attachments', () => {
    const document: Resource = {
      resourceType: 'DocumentReference',
      status: 'current',
      content: [{ attachment: { contentType: 'text/plain', title: 'T', data: 'AAAA' } }],
    };

    expect(shown(document, { summary: 'true' })).toMatchObject({
      content: [{ attachment: { contentType: 'text/plain', title: 'T' } }],
    });
    expect(JSON.stringify(shown(document, { summary: 'true' }))).not.toContain('AAAA');
  });

  it('true keeps, of every sample, exactly the elements that their definitions mark', () => {
    const marked = new Map(
      structureDefinitions().flatMap(({ snapshot }) =>
        snapshot.element.map((each) => [each.path, each.isSummary === true] as const),
      ),
    );
    const markOf = (type: string, name: string): boolean => {
      const own = name.replace(/^_/, '');
      const path = [...marked.keys()].find((each) => {
        const [of, element = ''] = each.split('.');
        return (
          of === type &&
          each.split('.').length === 2 &&
          (element === own || (element.endsWith('[x]') && new RegExp(`^${element.slice(0, -3)}[A-Z]`).test(own)))
        );
      });
      return path === undefined ? name === 'resourceType' : (marked.get(path) ?? false);
    };
    for (const sample of sampleResources) {
      const resource = sample as unknown as Resource;
      const kept = Object.keys(shown(resource, { summary: 'true' })).filter((name) => name !== 'meta');
      const expected = Object.keys(resource).filter((name) => name !== 'meta' && markOf(resource.resourceType, name));

      expect(kept, JSON.stringify(resource)).toEqual(expected);
    }
  });
});

describe('_elements', () => {
  it('keeps what is named, what is mandatory and what changes the meaning', () => {
    expect(Object.keys(shown(observation, { elements: ['note', 'nonsense', 'value'] }))).toEqual([
      'resourceType',
      'id',
      'meta',
      'implicitRules',
      'modifierExtension',
      'status',
      '_status',
      'code',
      'valueQuantity',
      'note',
    ]);
  });

  it('takes a name for a choice only where it is one', () => {
    const request: Resource = {
      resourceType: 'MedicationRequest',
      status: 'active',
      statusReason: { text: 'x' },
      intent: 'order',
      medicationCodeableConcept: {},
      subject: {},
    };
    const condition: Resource = {
      resourceType: 'Condition',
      subject: {},
      onsetAge: { value: 3 },
      recordedDate: '2024',
    };

    expect(Object.keys(shown(request, { elements: ['status'] }))).not.toContain('statusReason');
    expect(Object.keys(shown(condition, { elements: ['onset'] }))).toEqual([
      'resourceType',
      'subject',
      'onsetAge',
      'meta',
    ]);
    expect(Object.keys(shown(condition, { elements: ['onsetAge'] }))).toEqual([
      'resourceType',
      'subject',
      'onsetAge',
      'meta',
    ]);
  });
});

describe('a projection', () => {
  it('marks a resource once, and leaves the original as it was', () => {
    const before = structuredClone(observation);
    const twice = shown(shown(observation, { summary: 'data' }), { summary: 'true' });

    expect(twice.meta?.tag).toEqual([{ code: 'mine' }, ...tag]);
    expect(observation).toEqual(before);
  });

  it('keeps the spelling of decimals', () => {
    const parsed = parseJson(
      '{"resourceType":"Observation","status":"final","code":{},"valueQuantity":{"value":1.50},"note":[]}',
    ) as Resource;

    expect(stringifyJson(shown(parsed, { summary: 'true' }))).toContain('"value":1.50');
    const risk = parseJson(
      '{"resourceType":"ResearchElementDefinition","status":"draft","type":"exposure","population":{}}',
    ) as Resource;
    expect(stringifyJson(shown(risk, { summary: 'true' }))).toContain('"status":"draft"');
  });

  it('goes by tables that are generated for every type', () => {
    expect(observationElements).toBe(elementTable('Observation'));
    expect(observationElements).toBe(
      'identifier basedOn partOf status! code! subject focus encounter effective+ issued performer value+ hasMember derivedFrom component(code value+)',
    );
    expect(Object.keys(elementTables)).toEqual(Object.keys(searchParameters));
    expect(elementTable('Condition')).toContain('-abatement+');
  });
});
