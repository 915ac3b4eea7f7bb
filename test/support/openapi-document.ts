import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { compartments } from '../../shared/fhir/compartments.lazy.ts';
import * as texts from '../../shared/fhir/generated/api-description.data.ts';
import { ownRoutes } from '../../shared/http/own-routes/index.ts';
import { systemRoutesOf } from '../../shared/http/system-routes.ts';
import { openApiDocument } from '../../shared/openapi/document.ts';
import type { Json, Method, OpenApiDocument, Operation, PathItem } from '../../shared/openapi/schema.ts';
import { recordTypes } from '../../shared/record-types/index.ts';
import { otherRecordTypes } from '../../shared/record-types/other.ts';

const systemRoutes = systemRoutesOf([...recordTypes, ...otherRecordTypes], ownRoutes);

export const served = { recordTypes, otherRecordTypes, ownRoutes, systemRoutes, compartments, texts };

export const document: OpenApiDocument = openApiDocument(served, 'https://concord.test');

const methods = ['get', 'post', 'put', 'patch', 'delete'] as const;

/** Every operation of a document, with the path that it stands under. */
export const operationsIn = ({
  paths,
}: OpenApiDocument): {
  readonly path: string;
  readonly method: Method;
  readonly item: PathItem;
  readonly operation: Operation;
}[] =>
  Object.entries(paths).flatMap(([path, item]) =>
    methods.flatMap((method) => {
      const operation = item[method];
      return operation === undefined ? [] : [{ path, method, item, operation }];
    }),
  );

/** What a reference within the document leads to; what is none, as it is. */
export const resolved = (value: Json, within: OpenApiDocument = document): Json => {
  const reference = value['$ref'];
  if (typeof reference !== 'string') return value;
  const [, kind = '', name = ''] = /^#\/components\/(\w+)\/(.+)$/.exec(reference) ?? [];
  const found = within.components[kind]?.[name];
  if (found === undefined) throw new Error(`${reference} leads nowhere`);
  return found;
};

const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true }).addSchema(document, 'openapi');
const compiled = new Map<string, ValidateFunction>();

/** What a schema of the document has against a value. */
export const faults = (schema: Json, value: unknown): string[] => {
  const text = JSON.stringify(schema).replaceAll('"#/', '"openapi#/');
  const validate = compiled.get(text) ?? ajv.compile(JSON.parse(text) as object);
  compiled.set(text, validate);
  return validate(value)
    ? []
    : (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
};

export const schemaNamed = (name: string): Json => ({ $ref: `#/components/schemas/${name}` });

/** The path of a document that an address belongs to: one without variables before one that has some. https://spec.openapis.org/oas/v3.1.1.html#path-templating-matching */
export const pathFor = (segments: readonly string[], { paths }: OpenApiDocument = document): string | undefined => {
  const fitting = Object.keys(paths).filter((path) => {
    const parts = path.split('/').slice(1);
    return parts.length === segments.length && parts.every((part, at) => stands(path, part, segments[at] ?? '', at));
  });
  const variables = (path: string) =>
    path
      .split('/')
      .map((part) => (part.startsWith('{') ? '1' : '0'))
      .join('');
  return fitting.sort((left, right) => (variables(left) < variables(right) ? -1 : 1))[0];
};

const stands = (path: string, part: string, segment: string, at: number): boolean => {
  if (!part.startsWith('{')) return part === segment;
  if (part !== '{type}') return !/^[$_*]/.test(segment);
  const variables = (document.paths[path]?.parameters ?? []).map((each) => resolved(each));
  const { schema } = variables.find(({ name }) => name === 'type') ?? {};
  return at > 0 && ((schema as { enum?: readonly string[] } | undefined)?.enum?.includes(segment) ?? false);
};
