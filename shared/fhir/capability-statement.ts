import type { SmartConfiguration } from '../access/smart-configuration.ts';
import { fhirJson, jsonPatch } from '../http/fhir-request.ts';
import { type OwnRoutes, type Route, routesOf } from '../http/routes.ts';
import { supportedProfiles } from '../profiles/supported.ts';
import type { RecordType } from '../record-types/define-record-type.ts';
import { headsOwnChart } from '../record-types/homes.ts';
import { backport, subscriptionProfile, topicExtension } from '../subscriptions/backport.ts';
import { topicOf, typesWithTopics } from '../subscriptions/topics.ts';

/** Changes with every release that serves something else. */
export const releasedOn = '2026-11-26';

/** The version of this release, that of package.json. */
export const release = '0.1.0';

/** What is searched in records of every type beside elements: no type has a definition of its own for it. https://hl7.org/fhir/R4/search.html#all */
const searchedEverywhere: readonly fhir4.CapabilityStatementRestResourceSearchParam[] = [
  { name: '_content', type: 'string', definition: 'http://hl7.org/fhir/SearchParameter/Resource-content' },
  { name: '_text', type: 'string', definition: 'http://hl7.org/fhir/SearchParameter/DomainResource-text' },
  { name: '_filter', type: 'special', documentation: 'An expression: https://hl7.org/fhir/R4/search_filter.html' },
  { name: '_has', type: 'special', documentation: 'What refers to a record meets a condition. Not of AuditEvent' },
  { name: '_list', type: 'special', documentation: 'Entries of a List, by its id. Not of AuditEvent' },
];

const usCore = 'http://hl7.org/fhir/us/core';

/** What is described. */
export interface Described {
  readonly recordTypes: readonly RecordType[];
  /** Of each type that has any. */
  readonly ownRoutes: OwnRoutes;
  /** FHIR's names of what can be asked of the whole system; `bundle` for batches and transactions. */
  readonly systemInteractions: readonly string[];
  /** Where and how to get a token. */
  readonly smart: SmartConfiguration;
}

/**
 * What is served, derived from the record types and their routes. https://hl7.org/fhir/R4/capabilitystatement.html
 *
 * @param baseUrl - as the client calls it.
 */
export const capabilityStatement = (
  { recordTypes, ownRoutes, systemInteractions, smart }: Described,
  baseUrl: string,
): fhir4.CapabilityStatement => {
  const referringTo = referencesByTarget(recordTypes);
  return {
    resourceType: 'CapabilityStatement',
    name: 'Concord',
    title: 'Concord, an electronic health record',
    status: 'active',
    date: releasedOn,
    kind: 'instance',
    instantiates: [
      `${usCore}/CapabilityStatement/us-core-server`,
      `${backport}/CapabilityStatement/backport-subscription-server-r4`,
    ],
    software: { name: 'Concord', version: release },
    implementation: { description: 'Concord, an electronic health record', url: baseUrl },
    fhirVersion: '4.0.1',
    format: [fhirJson, 'application/json', 'json'],
    patchFormat: [jsonPatch, fhirJson],
    implementationGuide: [
      `${usCore}/ImplementationGuide/hl7.fhir.us.core`,
      `${backport}/ImplementationGuide/hl7.fhir.uv.subscriptions-backport`,
    ],
    rest: [
      {
        mode: 'server',
        documentation:
          'Searches also take _sort, _count, _total, _summary, _elements, _contained and _containedType. AuditEvents are read from logs, newest first: with _count and _summary alone. Writes take If-Match, If-None-Exist, Prefer and Idempotency-Key. GET _changes tells which records changed that the caller’s organisation may know of, as a history Bundle without resources, with a link to ask on from.',
        security: {
          ...smartExtensions(smart),
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
        interaction: systemInteractions
          .flatMap((name) => (name === 'bundle' ? ['batch', 'transaction'] : [name]))
          .filter((name, at, all) => name !== 'capabilities' && !name.startsWith('$') && all.indexOf(name) === at)
          .map((code) => ({ code: code as fhir4.CapabilityStatementRestInteraction['code'] })),
        resource: [...recordTypes]
          .sort((a, b) => (a.name < b.name ? -1 : 1))
          .map((recordType) => resourceOf(recordType, routesOf(recordType, ownRoutes), referringTo)),
        searchParam: [...searchedEverywhere],
        operation: systemInteractions
          .filter((name) => name.startsWith('$'))
          .map((name) => ({
            name: name.slice(1),
            definition: `https://concord.example/fhir/OperationDefinition/${name.slice(1)}`,
          })),
        compartment: recordTypes
          .filter((recordType) => routesOf(recordType, ownRoutes).some(({ name }) => name === 'search-compartment'))
          .map(({ name }) => `http://hl7.org/fhir/CompartmentDefinition/${name.toLowerCase()}`),
      },
    ],
  };
};

/** How SMART was told before it had a document of its own; some apps still look here. https://hl7.org/fhir/smart-app-launch/STU2.1/conformance.html */
const smartExtensions = ({
  authorization_endpoint: authorize,
  token_endpoint: token,
  capabilities,
}: SmartConfiguration): Pick<fhir4.CapabilityStatementRestSecurity, 'extension'> =>
  authorize === undefined || token === undefined
    ? {}
    : {
        extension: [
          {
            url: 'http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris',
            extension: [
              { url: 'authorize', valueUri: authorize },
              { url: 'token', valueUri: token },
            ],
          },
          ...capabilities.map((valueCode) => ({
            url: 'http://fhir-registry.smarthealthit.org/StructureDefinition/capabilities',
            valueCode,
          })),
        ],
      };

/** What is no interaction of a type in the statement: operations have a list of their own, compartments too. */
const toldElsewhere: ReadonlySet<string> = new Set(['operation', 'search-compartment']);

/**
 * What `_revinclude` can add, `Source:parameter` by the type that the reference names. References to anything would be a third of the statement:
 * of them the one that every guide asks for is told, `Provenance:target`, and `*` where whatever refers to a record is found.
 */
const referencesByTarget = (recordTypes: readonly RecordType[]): ReadonlyMap<string, readonly string[]> => {
  const byTarget = new Map<string, string[]>();
  for (const { name, searchParameters, readOnly } of recordTypes) {
    if (readOnly) continue; // what is read from logs is searched by itself
    for (const { code, type, targets } of searchParameters) {
      for (const target of type === 'reference' ? (targets ?? []) : []) {
        byTarget.set(target, [...(byTarget.get(target) ?? []), `${name}:${code}`]);
      }
    }
  }
  return byTarget;
};

/** Topics that can be subscribed to. https://hl7.org/fhir/uv/subscriptions-backport/STU1.1/StructureDefinition-capabilitystatement-subscriptiontopic-canonical.html */
const topicsFor = (type: string): Pick<fhir4.CapabilityStatementRestResource, 'extension'> =>
  type === 'Subscription'
    ? { extension: typesWithTopics.map((each) => ({ url: topicExtension, valueCanonical: topicOf(each) })) }
    : {};

const profilesOf = (type: string): string[] => [
  ...supportedProfiles(type),
  ...(type === 'Subscription' ? [subscriptionProfile] : []),
];

const resourceOf = (
  recordType: RecordType,
  routes: readonly Route[],
  referringTo: ReadonlyMap<string, readonly string[]>,
): fhir4.CapabilityStatementRestResource => {
  const references = recordType.searchParameters.filter(({ type }) => type === 'reference');
  const names = [...new Set(routes.map(({ name }) => name))].filter((name) => !toldElsewhere.has(name));
  const has = (name: string) => names.includes(name);
  const profiles = profilesOf(recordType.name);
  const operations = new Map(
    routes
      .filter(({ name }) => name === 'operation')
      .map(({ path, definition }) => {
        const name = path.at(-1)?.slice(1) ?? '';
        return [name, definition ?? `http://hl7.org/fhir/OperationDefinition/${recordType.name}-${name}`];
      }),
  );
  return {
    ...topicsFor(recordType.name),
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
    referencePolicy: ['literal', 'logical', 'enforced'],
    ...(has('search-type') && !recordType.readOnly
      ? {
          searchInclude: ['*', ...references.map(({ code }) => `${recordType.name}:${code}`)],
          searchRevInclude: [
            ...(headsOwnChart(recordType.name) ? [] : ['*']),
            ...(referringTo.get(recordType.name) ?? []),
            'Provenance:target',
          ],
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
