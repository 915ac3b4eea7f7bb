import { fhirJson, jsonPatch } from '../http/fhir-request.ts';
import { type OwnRoutes, type Route, routesOf } from '../http/routes.ts';
import { supportedProfiles } from '../profiles/supported.ts';
import type { RecordType } from '../record-types/define-record-type.ts';

/** Changes with every release that serves something else. */
export const releasedOn = '2026-11-24';

/**
 * What is served, derived from the record types and their routes. https://hl7.org/fhir/R4/capabilitystatement.html
 *
 * @param ownRoutes - of each type that has any.
 * @param baseUrl - as the client calls it.
 */
export const capabilityStatement = (
  recordTypes: readonly RecordType[],
  ownRoutes: OwnRoutes,
  baseUrl: string,
): fhir4.CapabilityStatement => {
  const referringTo = referencesByTarget(recordTypes);
  return {
    resourceType: 'CapabilityStatement',
    status: 'active',
    date: releasedOn,
    kind: 'instance',
    software: { name: 'Concord' },
    implementation: { description: 'Concord, an electronic health record', url: baseUrl },
    fhirVersion: '4.0.1',
    format: [fhirJson, 'json'],
    patchFormat: [jsonPatch, fhirJson],
    rest: [
      {
        mode: 'server',
        security: {
          cors: true,
          service: [
            {
              coding: [
                { system: 'http://terminology.hl7.org/CodeSystem/restful-security-service', code: 'SMART-on-FHIR' },
              ],
            },
          ],
          description: 'Access tokens of a Cognito user pool with SMART scopes; see .well-known/smart-configuration.',
        },
        interaction: [
          { code: 'batch' },
          { code: 'transaction' },
          { code: 'search-system' },
          { code: 'history-system' },
        ],
        resource: [...recordTypes]
          .sort((a, b) => (a.name < b.name ? -1 : 1))
          .map((recordType) => resourceOf(recordType, routesOf(recordType, ownRoutes), referringTo)),
        compartment: recordTypes
          .filter((recordType) => routesOf(recordType, ownRoutes).some(({ name }) => name === 'search-compartment'))
          .map(({ name }) => `http://hl7.org/fhir/CompartmentDefinition/${name.toLowerCase()}`),
      },
    ],
  };
};

/** What is no interaction of a type in the statement: operations have a list of their own, compartments too. */
const toldElsewhere: ReadonlySet<string> = new Set(['operation', 'search-compartment']);

/**
 * What `_revinclude` can add, `Source:parameter` by the type that the reference names. References to anything would be a third of the statement;
 * of them only the one that every guide asks for is told, `Provenance:target`.
 */
const referencesByTarget = (recordTypes: readonly RecordType[]): ReadonlyMap<string, readonly string[]> => {
  const byTarget = new Map<string, string[]>();
  for (const { name, searchParameters } of recordTypes) {
    for (const { code, type, targets } of searchParameters) {
      for (const target of type === 'reference' ? (targets ?? []) : []) {
        byTarget.set(target, [...(byTarget.get(target) ?? []), `${name}:${code}`]);
      }
    }
  }
  return byTarget;
};

const resourceOf = (
  recordType: RecordType,
  routes: readonly Route[],
  referringTo: ReadonlyMap<string, readonly string[]>,
): fhir4.CapabilityStatementRestResource => {
  const references = recordType.searchParameters.filter(({ type }) => type === 'reference');
  const names = [...new Set(routes.map(({ name }) => name))].filter((name) => !toldElsewhere.has(name));
  const has = (name: string) => names.includes(name);
  const profiles = supportedProfiles(recordType.name);
  const operations = new Map(
    routes
      .filter(({ name }) => name === 'operation')
      .map(({ path, definition }) => {
        const name = path.at(-1)?.slice(1) ?? '';
        return [name, definition ?? `http://hl7.org/fhir/OperationDefinition/${recordType.name}-${name}`];
      }),
  );
  return {
    type: recordType.name as fhir4.CapabilityStatementRestResource['type'],
    ...(profiles.length === 0 ? {} : { supportedProfile: profiles }),
    interaction: names.map((code) => ({ code: code as fhir4.CapabilityStatementRestResourceInteraction['code'] })),
    versioning: 'versioned',
    readHistory: has('vread'),
    updateCreate: has('update'),
    conditionalCreate: has('create'),
    conditionalRead: has('vread') ? 'full-support' : 'not-supported',
    conditionalUpdate: has('update'),
    conditionalDelete: has('delete') ? 'multiple' : 'not-supported',
    referencePolicy: ['literal', 'enforced'],
    ...(has('search-type') && !recordType.readOnly
      ? {
          searchInclude: ['*', ...references.map(({ code }) => `${recordType.name}:${code}`)],
          searchRevInclude: [...(referringTo.get(recordType.name) ?? []), 'Provenance:target'],
        }
      : {}),
    searchParam: recordType.searchParameters.map(({ code, url, type }) => ({
      name: code,
      definition: url,
      type: type as fhir4.CapabilityStatementRestResourceSearchParam['type'],
    })),
    ...(operations.size === 0
      ? {}
      : { operation: [...operations].map(([name, definition]) => ({ name, definition })) }),
  };
};
