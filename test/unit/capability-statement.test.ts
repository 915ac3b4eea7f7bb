import { describe, expect, it } from 'vitest';
import packageFile from '../../package.json' with { type: 'json' };
import { smartConfiguration } from '../../shared/access/smart-configuration.ts';
import { capabilityStatement, release } from '../../shared/fhir/capability-statement.ts';
import { checkInvariants } from '../../shared/fhir/check-invariants.ts';
import { validateStructure } from '../../shared/fhir/validate.ts';
import { ownRoutes } from '../../shared/http/own-routes/index.ts';
import { routesOf } from '../../shared/http/routes.ts';
import { systemRoutesOf } from '../../shared/http/system-routes.ts';
import { recordTypes } from '../../shared/record-types/index.ts';
import { otherRecordTypes } from '../../shared/record-types/other.ts';

const base = 'https://concord.test/fhir';
const allTypes = [...recordTypes, ...otherRecordTypes];
const systemRoutes = systemRoutesOf(allTypes, ownRoutes);
const described = {
  recordTypes: allTypes,
  ownRoutes,
  systemInteractions: systemRoutes.map(({ name }) => name),
  smart: smartConfiguration({ STAFF_POOL_ID: 'eu-central-1_Test' }),
};

const statement = capabilityStatement({ ...described, recordTypes }, base);
const whole = capabilityStatement(described, base);
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
    const operations = all.filter(([, name]) => !/^(?:meta|validate$|withhold$|release$)/.test(name ?? ''));

    const ours = 'https://concord.example/';
    expect(operations.filter(([, , definition]) => !definition?.startsWith(ours))).toEqual([
      ['Composition', 'document', 'http://hl7.org/fhir/OperationDefinition/Composition-document'],
      ['DocumentReference', 'docref', 'http://hl7.org/fhir/us/core/OperationDefinition/docref'],
      ['Encounter', 'everything', 'http://hl7.org/fhir/OperationDefinition/Encounter-everything'],
      ['Observation', 'lastn', 'http://hl7.org/fhir/OperationDefinition/Observation-lastn'],
      ['Patient', 'everything', 'http://hl7.org/fhir/OperationDefinition/Patient-everything'],
      ['Patient', 'match', 'http://hl7.org/fhir/OperationDefinition/Patient-match'],
      ['Patient', 'summary', 'http://hl7.org/fhir/uv/ips/OperationDefinition/summary'],
      ...['status', 'events'].map((name) => [
        'Subscription',
        name,
        `http://hl7.org/fhir/uv/subscriptions-backport/OperationDefinition/backport-subscription-${name}`,
      ]),
    ]);
    const own = operations.filter(([, , definition]) => definition?.startsWith(ours));
    expect(own.map(([, , definition]) => definition)).toEqual(
      own.map(([type, name]) => `${ours}fhir/OperationDefinition/${type}-${name}`),
    );
    expect(own.map(([type, name]) => `${type}/$${name}`)).toEqual(
      expect.arrayContaining(['Patient/$break-glass', 'Patient/$disclosures', 'Practitioner/$revoke-access']),
    );
    const ofAll = [
      ...['meta', 'meta-add', 'meta-delete'].map((name) => [
        'Specimen',
        name,
        `http://hl7.org/fhir/OperationDefinition/Resource-${name}`,
      ]),
      ...['withhold', 'release'].map((name) => [
        'Specimen',
        name,
        `https://concord.example/fhir/OperationDefinition/Resource-${name}`,
      ]),
      ['Specimen', 'validate', 'http://hl7.org/fhir/OperationDefinition/Resource-validate'],
    ];
    expect(all.filter(([type]) => type === 'Specimen')).toEqual(ofAll);
    expect(interactionsOf('Patient')).toEqual(interactionsOf('Encounter'));
  });

  it('tells what can be asked of terminology', () => {
    const all = capabilityStatement({ ...described, recordTypes: otherRecordTypes }, base).rest?.[0]?.resource ?? [];
    const named = all.flatMap(({ type, operation = [] }) => operation.map(({ name }) => `${type}/$${name}`));

    expect(named.filter((name) => !/\/\$(?:meta|validate$|withhold$|release$)/.test(name))).toEqual([
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
    expect(resources.get('Subscription')?.supportedProfile).toEqual([
      'http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/backport-subscription',
    ]);
    expect(new Set(profiles).size).toBe(50);
  });

  it('tells the topics of Subscriptions: one for each type that is served, but the access log', () => {
    const types = whole.rest?.[0]?.resource ?? [];
    const url =
      'http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/capabilitystatement-subscriptiontopic-canonical';

    expect(types.find(({ type }) => type === 'Subscription')?.extension).toEqual(
      types
        .filter(({ type }) => type !== 'AuditEvent')
        .map(({ type }) => ({
          url,
          valueCanonical: `https://concord.example/fhir/SubscriptionTopic/${type}`,
        })),
    );
    expect(types.filter(({ extension }) => extension)).toHaveLength(1);
  });

  it('tells of the access log that it is read alone', () => {
    expect(interactionsOf('AuditEvent')).toEqual(['read', 'search-type']);
  });

  it('is a valid resource by R4 and its rules, warnings included', () => {
    const type = otherRecordTypes.find(({ name }) => name === 'CapabilityStatement');
    if (!type) throw new Error('The type is not served');

    expect(validateStructure(type.schema, whole)).toEqual([]);
    expect(checkInvariants(type.schema, type.invariants, whole as never)).toEqual([]);
    const broken = { ...whole, rest: [{ mode: 'server', resource: [{ type: 'Patient' }, { type: 'Patient' }] }] };
    expect(JSON.stringify(checkInvariants(type.schema, type.invariants, broken as never))).toContain('cpb-9');
  });

  it('tells every route of every type, as an interaction, an operation or a compartment', () => {
    const told = new Map(whole.rest?.[0]?.resource?.map((resource) => [resource.type as string, resource]));
    const untold = allTypes.flatMap((type) =>
      routesOf(type, ownRoutes)
        .filter(({ name, path }) => {
          const { interaction = [], operation = [] } = told.get(type.name) ?? {};
          if (name === 'operation') return !operation.some((each) => `$${each.name}` === path.at(-1));
          if (name === 'search-compartment')
            return !whole.rest?.[0]?.compartment?.includes(
              `http://hl7.org/fhir/CompartmentDefinition/${type.name.toLowerCase()}`,
            );
          return !interaction.some(({ code }) => code === name);
        })
        .map(({ name, path }) => `${type.name} ${name} ${path.join('/')}`),
    );

    expect(untold).toEqual([]);
    expect([...told.keys()]).toEqual(allTypes.map(({ name }) => name).sort());
  });

  it('tells no interaction or operation that has no route', () => {
    const made = (whole.rest?.[0]?.resource ?? []).flatMap(({ type, interaction = [], operation = [] }) => {
      const recordType = allTypes.find(({ name }) => name === type);
      const routes = recordType ? routesOf(recordType, ownRoutes) : [];
      return [
        ...interaction
          .filter(({ code }) => !routes.some(({ name }) => name === code))
          .map(({ code }) => `${type} ${code}`),
        ...operation
          .filter(({ name }) => !routes.some(({ path }) => path.at(-1) === `$${name}`))
          .map(({ name }) => `${type} $${name}`),
      ];
    });

    expect(made).toEqual([]);
  });

  it('tells what the whole system can be asked', () => {
    const all = systemRoutes.map(({ name }) => name).filter((name) => name !== 'bundle' && name !== 'capabilities');
    const names = all.filter((name) => !name.startsWith('$'));

    expect(whole.rest?.[0]?.interaction?.map(({ code }) => code as string).sort()).toEqual(
      [...new Set([...names, 'batch', 'transaction'])].sort(),
    );
    expect(whole.rest?.[0]?.operation?.map(({ name }) => `$${name}`)).toEqual(
      all.filter((name) => name.startsWith('$')),
    );
  });

  it('tells what is searched beside elements, by definitions of R4', () => {
    expect(whole.rest?.[0]?.searchParam?.map(({ name }) => name)).toEqual([
      '_content',
      '_text',
      '_filter',
      '_has',
      '_list',
    ]);
    expect(resources.get('Goal')?.searchParam?.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['_id', '_lastUpdated', '_profile', '_security', '_source', '_tag', 'patient']),
    );
  });

  it('tells that whatever refers to a record is found only where that is so', () => {
    expect(resources.get('Patient')?.searchRevInclude).toContain('*');
    expect(resources.get('Organization')?.searchRevInclude).not.toContain('*');
  });

  it('names this release, this server and the guides that it follows', () => {
    expect(release).toBe(packageFile.version);
    expect(whole).toMatchObject({
      name: 'Concord',
      software: { name: 'Concord', version: release },
      implementation: { url: base },
      instantiates: [
        'http://hl7.org/fhir/us/core/CapabilityStatement/us-core-server',
        'http://hl7.org/fhir/uv/subscriptions-backport/CapabilityStatement/backport-subscription-server-r4',
      ],
      implementationGuide: [
        'http://hl7.org/fhir/us/core/ImplementationGuide/hl7.fhir.us.core',
        'http://hl7.org/fhir/uv/subscriptions-backport/ImplementationGuide/hl7.fhir.uv.subscriptions-backport',
      ],
      format: ['application/fhir+json', 'application/json', 'json'],
    });
  });

  it('tells where to sign in as SMART once did, where there are such pages', () => {
    const smart = smartConfiguration({ STAFF_POOL_ID: 'eu-central-1_Test', STAFF_SIGN_IN: 'https://sign-in.example' });
    const { security } = capabilityStatement({ ...described, smart }, base).rest?.[0] ?? {};

    expect(whole.rest?.[0]?.security).not.toHaveProperty('extension');
    expect(security?.cors).toBe(true);
    expect(security?.extension?.[0]).toEqual({
      url: 'http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris',
      extension: [
        { url: 'authorize', valueUri: 'https://sign-in.example/oauth2/authorize' },
        { url: 'token', valueUri: 'https://sign-in.example/oauth2/token' },
      ],
    });
    expect(security?.extension?.slice(1).map(({ valueCode }) => valueCode)).toEqual([...smart.capabilities]);
  });
});
