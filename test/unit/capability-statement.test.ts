import { describe, expect, it } from 'vitest';
import { capabilityStatement } from '../../shared/fhir/capability-statement.ts';
import { ownRoutes } from '../../shared/http/own-routes/index.ts';
import { recordTypes } from '../../shared/record-types/index.ts';
import { otherRecordTypes } from '../../shared/record-types/other.ts';

const statement = capabilityStatement(recordTypes, ownRoutes, 'https://concord.test/fhir');
const resources = new Map((statement.rest?.[0]?.resource ?? []).map((resource) => [resource.type as string, resource]));

const interactionsOf = (type: string) =>
  resources
    .get(type)
    ?.interaction?.map(({ code }) => code)
    .sort();

describe('capability statement', () => {
  it('tells what can be asked of every type', () => {
    expect(interactionsOf('Encounter')).toEqual(
      [
        'create',
        'delete',
        'history-instance',
        'history-type',
        'patch',
        'read',
        'search-type',
        'update',
        'vread',
      ].sort(),
    );
  });

  it('tells what can be asked of the system as a whole', () => {
    expect(statement.rest?.[0]?.interaction?.map(({ code }) => code).sort()).toEqual([
      'batch',
      'history-system',
      'search-system',
      'transaction',
    ]);
    expect(interactionsOf('AuditEvent')).toEqual(['read', 'search-type']);
  });

  it('tells what a search can include, and what refers to a type', () => {
    const { searchInclude, searchRevInclude } = resources.get('Encounter') ?? {};

    expect(searchInclude).toEqual(expect.arrayContaining(['*', 'Encounter:subject', 'Encounter:part-of']));
    expect(searchInclude).not.toContain('Encounter:status');
    expect(searchRevInclude).toEqual(expect.arrayContaining(['Observation:encounter', 'Provenance:target']));
    expect(searchRevInclude).not.toContain('Patient:organization');
    expect(resources.get('AuditEvent')?.searchInclude).toBeUndefined();
  });

  it('tells the compartments that can be searched in', () => {
    expect([...(statement.rest?.[0]?.compartment ?? [])].sort()).toEqual(
      ['device', 'encounter', 'patient', 'practitioner', 'relatedperson'].map(
        (name) => `http://hl7.org/fhir/CompartmentDefinition/${name}`,
      ),
    );
  });

  it('tells in which forms a patch may come', () => {
    expect(statement.patchFormat).toEqual(['application/json-patch+json', 'application/fhir+json']);
  });

  it('tells what a condition may decide', () => {
    const told = ({
      conditionalCreate,
      conditionalRead,
      conditionalUpdate,
      conditionalDelete,
    }: Partial<fhir4.CapabilityStatementRestResource> = {}) => [
      conditionalCreate,
      conditionalRead,
      conditionalUpdate,
      conditionalDelete,
    ];

    expect(told(resources.get('Encounter'))).toEqual([true, 'full-support', true, 'multiple']);
    expect(told(resources.get('AuditEvent'))).toEqual([false, 'not-supported', false, 'not-supported']);
  });

  it('tells the operations of a type, and of no other', () => {
    const all = [...resources].flatMap(([type, { operation = [] }]) =>
      operation.map(({ name, definition }) => [type, name, definition]),
    );
    const operations = all.filter(([, name]) => !/^(?:meta|validate$)/.test(name ?? ''));

    expect(operations).toEqual([
      ['Composition', 'document', 'http://hl7.org/fhir/OperationDefinition/Composition-document'],
      ['DocumentReference', 'docref', 'http://hl7.org/fhir/us/core/OperationDefinition/docref'],
      ['Encounter', 'everything', 'http://hl7.org/fhir/OperationDefinition/Encounter-everything'],
      ['Observation', 'lastn', 'http://hl7.org/fhir/OperationDefinition/Observation-lastn'],
      ['Patient', 'everything', 'http://hl7.org/fhir/OperationDefinition/Patient-everything'],
      ['Patient', 'match', 'http://hl7.org/fhir/OperationDefinition/Patient-match'],
    ]);
    const ofAll = ['meta', 'meta-add', 'meta-delete', 'validate'];
    expect(all.filter(([type]) => type === 'Goal')).toEqual(
      ofAll.map((name) => ['Goal', name, `http://hl7.org/fhir/OperationDefinition/Resource-${name}`]),
    );
    expect(interactionsOf('Patient')).toEqual(interactionsOf('Encounter'));
  });

  it('tells what can be asked of terminology', () => {
    const all = capabilityStatement(otherRecordTypes, ownRoutes, 'https://concord.test/fhir').rest?.[0]?.resource ?? [];
    const named = all.flatMap(({ type, operation = [] }) => operation.map(({ name }) => `${type}/$${name}`));

    expect(named.filter((name) => !/\/\$(?:meta|validate$)/.test(name))).toEqual([
      'CodeSystem/$lookup',
      'CodeSystem/$validate-code',
      'CodeSystem/$subsumes',
      'ValueSet/$expand',
      'ValueSet/$validate-code',
    ]);
  });

  it('tells the profiles that a type may claim, with their version', () => {
    const profiles = [...resources].flatMap(([, { supportedProfile = [] }]) => supportedProfile);

    expect(resources.get('Patient')?.supportedProfile).toEqual([
      'http://hl7.org/fhir/us/core/StructureDefinition/us-core-patient|6.1.0',
    ]);
    expect(resources.get('Appointment')).not.toHaveProperty('supportedProfile');
    expect(new Set(profiles).size).toBe(49);
  });

  it('tells of the access log that it is read alone', () => {
    expect(interactionsOf('AuditEvent')).toEqual(['read', 'search-type']);
  });
});
