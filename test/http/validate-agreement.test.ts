import { beforeAll, describe, expect, it } from 'vitest';
import { keptGuide } from '../../infra/generate/us-core-profiles.ts';
import { brokenBy } from '../support/broken-by-profile.ts';
import { type FhirServer, fhirServer, type TestBody } from '../support/fhir-server.ts';
import { bodyMutations } from '../support/hostile/mutate-body.ts';
import type { HostileWorld } from '../support/hostile/world.ts';
import { Random } from '../support/naive-search/random.ts';
import { system } from '../support/records.ts';
import { referringThere, storeReferredTo } from '../support/referred-to.ts';
import { brokenVariants } from '../support/resources/broken-variants.ts';
import { sampleResources } from '../support/resources/index.ts';
import { usCoreResources } from '../support/us-core-resources.ts';

const base = 'http://hl7.org/fhir/us/core/StructureDefinition/';

// Hundreds of requests, on a machine that may be slow.
const slow = 240_000;

/** Types that nobody may create. */
const notCreated = new Set(['AuditEvent', 'Bundle']);
const samples = sampleResources.filter(({ resourceType }) => !notCreated.has(resourceType)).map(referringThere);

let server: FhirServer;
beforeAll(async () => {
  server = await fhirServer();
  await storeReferredTo(server);
});

const nameOf = ({ severity, code, details, expression }: fhir4.OperationOutcomeIssue): string =>
  [severity, code, details?.coding?.[0]?.code, details?.text, expression?.[0]].join(' ');
const errorsIn = (body: TestBody): string[] =>
  (body as unknown as fhir4.OperationOutcome).issue.filter(({ severity }) => severity === 'error').map(nameOf);

/** What `$validate` says of a create, beside what the create then comes to. */
const disagreement = async (type: string, resource: unknown): Promise<{ accepted: boolean; wrong: string[] }> => {
  const parameter = [
    { name: 'resource', resource },
    { name: 'mode', valueCode: 'create' },
  ];
  const told = await server.post(`${type}/$validate`, { resourceType: 'Parameters', parameter }, { as: system });
  const created = await server.post(type, resource, { as: system });
  const accepted = created.status === 201;
  if (told.status !== 200)
    return {
      accepted,
      wrong: [told.status, created.status].some((status) => status !== 400) ? [`${told.status} ${created.status}`] : [],
    };
  const errors = new Set(errorsIn(told.body));
  if (accepted) return { accepted, wrong: [...errors] };
  const refused = errorsIn(created.body);
  return {
    accepted,
    wrong: refused.length === 0 ? ['refused without an issue'] : refused.filter((issue) => !errors.has(issue)),
  };
};

/** Asks about each, and tells where the two disagree. */
const compared = async (resources: readonly (readonly [what: string, type: string, resource: unknown])[]) => {
  const wrong: string[] = [];
  let accepted = 0;
  for (const [what, type, resource] of resources) {
    const found = await disagreement(type, resource);
    if (found.accepted) accepted++;
    wrong.push(...found.wrong.map((each) => `${what}: ${each}`));
  }
  return { wrong, accepted, refused: resources.length - accepted };
};

const claiming = (name: string): fhir4.FhirResource =>
  ({ ...usCoreResources[name], meta: { profile: [`${base}${name}|6.1.0`] } }) as unknown as fhir4.FhirResource;

describe('what $validate says of a create', () => {
  it(
    'is what a create does with a resource of each profile, and with each that breaks one',
    async () => {
      const resources = keptGuide()
        .profiles.filter(({ type }) => type !== 'Extension')
        .flatMap((profile) => {
          const valid = claiming(profile.url.slice(base.length));
          const broken = brokenBy(profile, valid as never);
          return [{ what: 'valid', resource: valid }, ...broken].map(
            ({ what, resource }) => [`${profile.url} ${what}`, profile.type, resource] as const,
          );
        });

      const { wrong, accepted, refused } = await compared(resources);

      expect(wrong).toEqual([]);
      expect([accepted, refused > 400]).toEqual([49, true]);
    },
    slow,
  );

  it(
    'is what a create does with samples, and with each that breaks a rule of R4',
    async () => {
      const valid = samples.map((resource) => ['sample', resource.resourceType, resource] as const);
      const broken = brokenVariants
        .filter(([, , { resourceType }]) => !notCreated.has(resourceType))
        .map(([key, , resource]) => [key, resource.resourceType, referringThere(resource)] as const);

      const { wrong, accepted, refused } = await compared([...valid, ...broken]);

      expect(wrong).toEqual([]);
      expect(accepted).toBeGreaterThan(15);
      expect(refused).toBeGreaterThan(40);
    },
    slow,
  );

  it(
    'is what a create does with resources that a seed breaks anywhere',
    async () => {
      const random = new Random(11);
      const valid = [...Object.keys(usCoreResources).map(claiming), ...samples];
      const mutated: [string, string, unknown][] = [];
      while (mutated.length < 300) {
        const resource = random.of(valid);
        const request = { method: 'POST', path: '', query: [], form: false, headers: {}, body: resource, writes: true };
        const broken = random.of(bodyMutations)(request, random, {} as HostileWorld);
        const body = broken?.request.body;
        // Bytes are no resource that could stand in Parameters.
        if (broken && !Buffer.isBuffer(body) && body !== undefined)
          mutated.push([`${broken.what} in a ${resource.resourceType}`, resource.resourceType, body]);
      }

      const { wrong, accepted, refused } = await compared(mutated);

      expect(wrong).toEqual([]);
      expect(accepted).toBeGreaterThan(12);
      expect(refused).toBeGreaterThan(120);
    },
    slow,
  );
});
