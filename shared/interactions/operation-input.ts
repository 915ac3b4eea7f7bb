import { RecordError } from '../errors.ts';
import type { PrimitiveSchema } from '../fhir/primitive-schema.ts';
import {
  boolean,
  canonical,
  code,
  date,
  dateTime,
  id,
  instant,
  integer,
  positiveInt,
  string,
  uri,
} from '../fhir/primitives.ts';
import type { Resource } from '../fhir/resource.ts';
import type { RequestContext } from './context.ts';
import { pageParameter } from './searchset.ts';

const primitives = { boolean, canonical, code, date, dateTime, id, instant, integer, positiveInt, string, uri };

type Primitives = {
  [Type in keyof typeof primitives]: (typeof primitives)[Type] extends PrimitiveSchema<infer V> ? V : never;
};

/** What a parameter of each type is read as. */
interface Values extends Primitives {
  readonly Coding: fhir4.Coding;
  readonly CodeableConcept: fhir4.CodeableConcept;
  readonly Meta: fhir4.Meta;
  readonly Period: fhir4.Period;
  /** Or a text, as the `display` of a reference that names no record. */
  readonly Reference: fhir4.Reference;
  readonly Resource: Resource;
}

/** One input parameter, as an OperationDefinition tells it. https://hl7.org/fhir/R4/operationdefinition.html */
export interface InputDefinition {
  readonly type: keyof Values;
  readonly min?: 1;
  /** Present for `max: *`. */
  readonly many?: true;
}

type InputDefinitions = Readonly<Record<string, InputDefinition>>;

type Read<D extends InputDefinition> = D extends { readonly many: true }
  ? readonly Values[D['type']][]
  : D extends { readonly min: 1 }
    ? Values[D['type']]
    : Values[D['type']] | undefined;

/** The input of an operation: a value by name, a list of them for `many`. */
export type OperationInput<D extends InputDefinitions> = { readonly [Name in keyof D]: Read<D[Name]> };

/** A value that was sent, and how: text of a query, or what stands in Parameters. */
interface Sent {
  readonly name: string;
  /** Its name where it was sent, for a refusal. */
  readonly expression: string;
  readonly text?: string;
  readonly element?: string;
  readonly value?: unknown;
}

/** Parameters that every request may have; they are no input. */
const formatParameters = new Set(['_format', '_pretty', pageParameter]);

/**
 * Reads the input of an operation, from the query and from the Parameters of a POST. An operation with one Resource among its input may be sent
 * that resource as it is. https://hl7.org/fhir/R4/operations.html#executing
 *
 * @param query - pairs to read instead of the request's query and body: those that a `next` link holds.
 * @throws RecordError `invalid` or `malformed`, naming the parameter that is unknown, missing, too many or of another type.
 */
export const readInput = <const D extends InputDefinitions>(
  { request }: Pick<RequestContext, 'request'>,
  definitions: D,
  query?: readonly (readonly [string, string])[],
): OperationInput<D> => {
  const body = query === undefined && request.method === 'POST' ? request.body : undefined;
  const sent = [...sentInQuery(query ?? request.query), ...(body === undefined ? [] : sentInBody(definitions, body))];
  const unknown = sent.find(({ name }) => !Object.hasOwn(definitions, name));
  if (unknown) {
    throw new RecordError('invalid', 'The operation has no such parameter', {
      reason: 'not-supported',
      expression: unknown.expression,
    });
  }
  const input = Object.entries<InputDefinition>(definitions).map(([name, definition]) => {
    const values = sent.filter((each) => each.name === name).map((each) => valueOf(definition.type, each));
    if (definition.min !== undefined && values.length === 0) throw wrong(name, 'The operation needs this parameter');
    if (!definition.many && values.length > 1) throw wrong(name, 'The operation takes this parameter once');
    return [name, definition.many ? values : values[0]] as const;
  });
  return Object.fromEntries(input) as unknown as OperationInput<D>;
};

/**
 * The parameters of an operation that takes those of a search: names and texts, of the query or of Parameters, where a reference or a primitive
 * stands for its text.
 */
export const searchPairs = ({ request }: Pick<RequestContext, 'request'>): (readonly [string, string])[] => {
  const query = request.query.filter(([name]) => !formatParameters.has(name));
  if (request.method !== 'POST' || request.body === undefined) return query;
  const pairs = sentInParameters(request.body).map(({ name, value }) => {
    const { reference } = (value ?? {}) as { reference?: unknown };
    const text = typeof value === 'object' ? reference : value;
    if (typeof text !== 'string' && typeof text !== 'number' && typeof text !== 'boolean') {
      throw wrong(name, 'A search parameter is a text here, or a reference');
    }
    return [name, String(text)] as const;
  });
  return [...query, ...pairs];
};

const wrong = (expression: string, message: string) => new RecordError('invalid', message, { expression });

const sentInQuery = (query: readonly (readonly [string, string])[]): Sent[] =>
  query.flatMap(([name, text]) => (formatParameters.has(name) ? [] : [{ name, expression: name, text }]));

const sentInBody = (definitions: InputDefinitions, body: unknown): Sent[] => {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new RecordError('malformed', 'The body must be a resource', { expression: 'body' });
  const { resourceType } = body as { resourceType?: unknown };
  const [bare] = Object.entries(definitions).filter(([, { type }]) => type === 'Resource');
  return bare && resourceType !== 'Parameters'
    ? [{ name: bare[0], expression: bare[0], element: 'resource', value: body }]
    : sentInParameters(body);
};

const sentInParameters = (body: unknown): Sent[] => {
  const { resourceType, parameter = [] } = (body ?? {}) as { resourceType?: unknown; parameter?: unknown };
  if (resourceType !== 'Parameters') {
    throw new RecordError('malformed', 'The operation takes Parameters', { expression: 'resourceType' });
  }
  if (!Array.isArray(parameter)) throw wrong('Parameters.parameter', 'Parameters are a list');
  return parameter.map((each: unknown, index) => {
    const at = `Parameters.parameter[${index}]`;
    const { name, ...rest } = (each ?? {}) as Record<string, unknown>;
    if (typeof name !== 'string' || name === '') throw wrong(`${at}.name`, 'A parameter has a name');
    const [value, ...others] = Object.entries(rest).filter(([key]) => key === 'resource' || key.startsWith('value'));
    if (!value || others.length > 0) throw wrong(name, 'A parameter has one value or one resource');
    return { name, expression: name, element: value[0], value: value[1] };
  });
};

/** Types whose values are some of those of another one: clients send either. */
const alike: Partial<Record<InputDefinition['type'], string>> = {
  dateTime: 'valueInstant',
  instant: 'valueDateTime',
  positiveInt: 'valueInteger',
};

const valueOf = (type: InputDefinition['type'], { expression, text, element, value }: Sent): Values[typeof type] => {
  if (type === 'Reference' && element === 'valueString' && typeof value === 'string') return { display: value };
  const given = text === undefined ? value : fromText(type, text, expression);
  const expected = type === 'Resource' ? 'resource' : `value${type.charAt(0).toUpperCase()}${type.slice(1)}`;
  if (text === undefined && element !== expected && element !== alike[type])
    throw wrong(expression, `The parameter has ${expected} here`);
  if (type in primitives) {
    const broken = primitives[type as keyof typeof primitives].rule(given);
    if (broken) throw wrong(expression, `The value ${broken.message}`);
  } else if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw wrong(expression, `The value must be a ${type}`);
  }
  return given as Values[typeof type];
};

/** A Coding is written as search writes tokens, a Reference as `Type/id`, other datatypes have no text. https://hl7.org/fhir/R4/operations.html#executing */
const fromText = (type: InputDefinition['type'], text: string, expression: string): unknown => {
  switch (type) {
    case 'boolean':
      return text === 'true' ? true : text === 'false' ? false : text;
    case 'integer':
    case 'positiveInt':
      return /^-?\d{1,10}$/.test(text) ? Number(text) : text;
    case 'Coding': {
      const [, system, own] = /^(?:(.*)\|)?([^|]*)$/s.exec(text) ?? [];
      return { ...(system ? { system } : {}), ...(own ? { code: own } : {}) };
    }
    case 'Reference':
      return { reference: text };
    case 'Meta':
    case 'Period':
    case 'Resource':
      throw wrong(expression, 'This parameter is sent in Parameters, by POST');
    default:
      return text;
  }
};
