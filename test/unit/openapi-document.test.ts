import { gzipSync } from 'node:zlib';
import { validate } from '@readme/openapi-parser';
import { describe, expect, it } from 'vitest';
import { matchRoute } from '../../infra/local/match-route.ts';
import { routes as gatewayRoutes } from '../../infra/routes.ts';
import { RecordError } from '../../shared/errors.ts';
import { checkInvariants } from '../../shared/fhir/check-invariants.ts';
import { validateStructure } from '../../shared/fhir/validate.ts';
import { ownRoutes } from '../../shared/http/own-routes/index.ts';
import { ofEveryType, routerOf, routesOf } from '../../shared/http/routes.ts';
import { partOf } from '../../shared/openapi/part.ts';
import type { Json, Method, OpenApiDocument } from '../../shared/openapi/schema.ts';
import { recordTypes } from '../../shared/record-types/index.ts';
import { otherRecordTypes } from '../../shared/record-types/other.ts';
import { document, faults, operationsIn, pathFor, resolved, schemaNamed } from '../support/openapi-document.ts';
import { sampleResources } from '../support/resources/index.ts';
import { validResources } from './schemas-valid-resources.ts';

const allTypes = [...recordTypes, ...otherRecordTypes];
const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

const expectValid = async (candidate: OpenApiDocument) => {
  // a copy, since the parser replaces references where they stand
  const result = await validate(structuredClone(candidate) as unknown as Parameters<typeof validate>[0]);
  expect(result).toMatchObject({ valid: true });
};

/** Segments behind the type that any type is served under, with names put in for variables. */
const everyPath = [
  ...new Set(allTypes.flatMap((type) => routesOf(type, ownRoutes).map(({ path }) => path.join('/')))),
].map((path) => path.split('/').filter((segment) => segment !== ''));

const putIn = (segments: readonly string[], type: string): string[] =>
  segments.map((segment) => ({ '{id}': 'a1', '{version}': '1', '{type}': type })[segment] ?? segment);

const parametersOf = (path: string, method: Method): Json[] => {
  const item = document.paths[path];
  return [...(item?.parameters ?? []), ...(item?.[method]?.parameters ?? [])].map((each) => resolved(each));
};

describe('OpenAPI document', () => {
  it('is valid by the schema of OpenAPI 3.1, and its references lead somewhere', async () => {
    expect(document.openapi).toBe('3.1.1');
    await expectValid(document);
  });

  it('tells that the content of a Binary may be elsewhere, and of no other type', () => {
    const elsewhere = Object.entries(document.paths).flatMap(([path, item]) =>
      methods.flatMap((method) => {
        const name = method.toLowerCase() as Method;
        const answer = item[name]?.responses?.['303'];
        return answer ? [[path, name, Object.keys(resolved(answer).headers ?? {}).includes('Location')]] : [];
      }),
    );

    expect(elsewhere).toEqual([
      ['/fhir/Binary/{id}', 'get', true],
      ['/fhir/Binary/{id}/_history/{version}', 'get', true],
    ]);
  });

  it('says what the router serves and nothing else, type by type, method by method', () => {
    const route = routerOf(ownRoutes);
    const serves = (type: (typeof allTypes)[number], method: string, path: readonly string[]) => {
      try {
        route(type, method, path);
        return true;
      } catch (error) {
        if (error instanceof RecordError) return false;
        throw error;
      }
    };
    const differences: string[] = [];
    for (const type of allTypes) {
      for (const pattern of everyPath) {
        // of compartments, a type that every one of them has
        const path = putIn(pattern, 'Observation');
        const described = pathFor(['fhir', type.name, ...path]);
        for (const method of methods) {
          const inDocument =
            described !== undefined && document.paths[described]?.[method.toLowerCase() as Method] !== undefined;
          if (inDocument !== serves(type, method, path)) differences.push(`${method} ${type.name}/${path.join('/')}`);
        }
      }
    }

    expect(differences).toEqual([]);
    expect(operationsIn(document).length).toBeGreaterThan(1_000);
  });

  it('has a path for every route of the gateway, and none that the gateway does not know', () => {
    const known = operationsIn(document).map(({ path }) => {
      const address = path.replaceAll(/\{type\}/g, 'Account').replaceAll(/\{\w+\}/g, 'a1');
      return matchRoute(gatewayRoutes, address)?.route;
    });

    expect(known).not.toContain(undefined);
    expect(new Set(known)).toEqual(new Set(gatewayRoutes));
    const withoutToken = operationsIn(document).filter(({ operation }) => operation.security !== undefined);
    const open = gatewayRoutes.filter((route) => route.open).map(({ path }) => path);
    expect(withoutToken.map(({ path }) => path).sort()).toEqual([...open].sort());
    expect(document.security).toEqual([{ accessToken: [] }]);
  });

  it('names every type, alone or among those that are served alike', () => {
    const { schema } = parametersOf('/fhir/{type}', 'get').find(({ name }) => name === 'type') ?? {};
    const alike = (schema as { enum: string[] }).enum;
    const alone = allTypes.map(({ name }) => name).filter((name) => document.paths[`/fhir/${name}`] !== undefined);

    expect([...alike, ...alone].sort()).toEqual(allTypes.map(({ name }) => name).sort());
    expect(alone).toEqual(expect.arrayContaining([...recordTypes.map(({ name }) => name), 'ValueSet', 'CodeSystem']));
    const forAll = { [ofEveryType]: ownRoutes[ofEveryType] ?? [] };
    for (const name of alike) {
      const type = allTypes.find((each) => each.name === name);
      expect(type && routesOf(type, ownRoutes)).toEqual(routesOf(recordTypes[0] as never, forAll));
    }
  });

  it('tells every search parameter of a type, with its kind and what it means', () => {
    for (const { name, searchParameters } of recordTypes) {
      const told = parametersOf(`/fhir/${name}`, 'get');
      for (const { code, type } of searchParameters) {
        const found = told.find((each) => each['name'] === code && each['in'] === 'query');
        expect(found?.['description'], `${name} ${code}`).toMatch(new RegExp(`^${type}`));
      }
    }
    const birthdate = parametersOf('/fhir/Patient', 'get').find(({ name }) => name === 'birthdate');
    expect(birthdate?.['description']).toBe("date: The patient's date of birth");
  });

  it('tells the headers and the forms in which something is sent', () => {
    const headersOf = (path: string, method: Method) =>
      parametersOf(path, method).flatMap((each) => (each['in'] === 'header' ? [each['name']] : []));
    const formsOf = (path: string, method: Method) =>
      Object.keys(resolved(document.paths[path]?.[method]?.requestBody ?? {})['content'] as object);

    expect(headersOf('/fhir/Patient', 'post').sort()).toEqual(['Idempotency-Key', 'If-None-Exist', 'Prefer']);
    expect(headersOf('/fhir/Patient/{id}', 'put').sort()).toEqual(['Idempotency-Key', 'If-Match', 'Prefer']);
    expect(headersOf('/fhir/Patient/{id}', 'get').sort()).toEqual(['If-Modified-Since', 'If-None-Match']);
    expect(formsOf('/fhir/Patient/{id}', 'put')).toEqual(['application/fhir+json', 'application/json']);
    expect(formsOf('/fhir/Patient/{id}', 'patch')).toEqual(['application/json-patch+json', 'application/fhir+json']);
    expect(formsOf('/fhir/Patient/_search', 'post')).toEqual(['application/x-www-form-urlencoded']);
  });

  it('tells the input of an operation as the operation reads it', () => {
    const told = parametersOf('/fhir/Patient/{id}/$everything', 'get');
    const names = told.filter((each) => each['in'] === 'query').map(({ name }) => name);
    const body = resolved(document.paths['/fhir/Patient/$match']?.post?.requestBody ?? {});

    expect(names).toEqual(['start', 'end', '_since', '_type', '_count', '_format', '_pretty']);
    expect(body['description']).toBe(
      '- `resource`: Resource, required\n- `onlyCertainMatches`: boolean\n- `count`: integer',
    );
  });

  it('tells what $validate takes, and answers with', () => {
    const { get, post } = document.paths['/fhir/Patient/{id}/$validate'] ?? {};
    const query = parametersOf('/fhir/Patient/{id}/$validate', 'get').filter((each) => each['in'] === 'query');

    expect(query.map(({ name }) => name)).toEqual(['mode', 'profile', '_format', '_pretty']);
    expect(resolved(post?.requestBody ?? {})['description']).toBe(
      '- `resource`: Resource\n- `mode`: code\n- `profile`: uri',
    );
    expect(resolved(get?.responses['200'] ?? {})['content']).toMatchObject({
      'application/fhir+json': { schema: schemaNamed('OperationOutcome') },
    });
  });

  it('answers each refusal with an OperationOutcome', () => {
    const refusing = operationsIn(document).flatMap(({ path, operation }) =>
      Object.entries(operation.responses)
        .filter(([status]) => status === 'default' || status >= '400')
        .map(([status, response]) => ({ place: `${path} ${status}`, content: resolved(response)['content'] })),
    );

    expect(refusing.length).toBeGreaterThan(3_000);
    for (const { place, content } of refusing) {
      expect(content, place).toMatchObject({ 'application/fhir+json': { schema: schemaNamed('OperationOutcome') } });
    }
  });

  it('has examples that meet its schemas', () => {
    const found: string[] = [];
    let examples = 0;
    const look = (value: unknown, place: string): void => {
      if (typeof value !== 'object' || value === null) return;
      const { schema, example } = value as { schema?: Json; example?: unknown };
      if (schema !== undefined && example !== undefined) {
        examples += 1;
        found.push(...faults(schema, example).map((fault) => `${place}: ${fault}`));
      }
      for (const [key, each] of Object.entries(value)) {
        if (key !== 'schemas' && key !== 'example') look(each, `${place}/${key}`);
      }
    };
    look({ paths: document.paths, components: document.components }, '');

    expect(found).toEqual([]);
    expect(examples).toBeGreaterThan(300);
  });

  it.each(
    [...recordTypes, ...otherRecordTypes.filter(({ name }) => name in ownRoutes)]
      .filter(({ readOnly }) => !readOnly)
      .map(({ name }) => name),
  )('shows a body of %s that the server takes', (name) => {
    const type = allTypes.find((each) => each.name === name);
    const body = document.components['requestBodies']?.[name] as { content: Record<string, { example: never }> };
    const { example } = body.content['application/fhir+json'] ?? {};
    if (!type || !example) throw new Error(`No example of ${name}`);

    expect(validateStructure(type.schema, example)).toEqual([]);
    expect(
      checkInvariants(type.schema, type.invariants, example).filter(({ severity }) => severity !== 'warning'),
    ).toEqual([]);
  });

  it('accepts by its schemas what the server accepts', () => {
    const told = new Set(Object.keys(document.components['schemas'] ?? {}));
    const valid = [...sampleResources, ...Object.values(validResources)].filter(({ resourceType }) =>
      told.has(resourceType),
    );

    for (const resource of valid) {
      expect(faults(schemaNamed(resource.resourceType), resource), JSON.stringify(resource)).toEqual([]);
    }
    expect(valid.length).toBeGreaterThan(40);
  });

  it.each([
    ['an element that does not exist', { resourceType: 'Patient', birthdate: '1980' }],
    ['a text for a list', { resourceType: 'Patient', name: 'Rivera' }],
    ['a code that the value set does not have', { resourceType: 'Patient', gender: 'f' }],
    ['a date that is none', { resourceType: 'Patient', birthDate: '1980-13' }],
    ['a missing element', { resourceType: 'Observation', status: 'final' }],
    ['another type', { resourceType: 'Observation', status: 'final', code: { text: 'x' } }],
  ])('refuses by its schemas %s', (_, resource) => {
    const name = resource.resourceType === 'Observation' && 'code' in resource ? 'Patient' : resource.resourceType;

    expect(faults(schemaNamed(name), resource)).not.toEqual([]);
  });

  it('stays small enough for tools, and for an answer', () => {
    const text = JSON.stringify(document);

    expect(text.length).toBeLessThan(2_500_000);
    expect(gzipSync(text).length).toBeLessThan(160_000);
  });
});

describe('part of the OpenAPI document', () => {
  const tags = document.tags.map(({ name }) => name);

  it('has each operation under one heading', () => {
    const under = tags.flatMap((tag) =>
      operationsIn(partOf(document, tag) as OpenApiDocument).map(({ operation }) => operation.operationId),
    );

    expect(under.sort()).toEqual(
      operationsIn(document)
        .map(({ operation }) => operation.operationId)
        .sort(),
    );
  });

  it('is a fraction of the whole, and refers to nothing that it leaves out', () => {
    for (const tag of tags) {
      const part = partOf(document, tag) as OpenApiDocument;
      const text = JSON.stringify(part);
      for (const [reference] of text.matchAll(/#\/components\/\w+\/[^"]+/g)) resolved({ $ref: reference }, part);
      expect(text.length, tag).toBeLessThan(140_000);
    }
  });

  it.each(['System', 'Patient', 'Questionnaire', 'Other types'])('is valid: %s', async (tag) => {
    await expectValid(partOf(document, tag) as OpenApiDocument);
  });

  it('names datatypes, and shows what a type consists of', () => {
    const { schemas } = partOf(document, 'Observation')?.components ?? {};

    expect(schemas?.['Observation']).toMatchObject({
      properties: {
        code: { type: 'object', title: 'CodeableConcept' },
        component: { items: schemaNamed('Observation.component') },
      },
    });
    expect(schemas).toHaveProperty(['Observation.component']);
    expect(schemas).not.toHaveProperty('CodeableConcept');
  });

  it('is not there without such a heading', () => {
    expect(partOf(document, 'Nothing')).toBeUndefined();
  });
});
