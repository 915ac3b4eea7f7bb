import { RecordError } from '../../errors.ts';
import { codeableConcept, coding } from '../../fhir/generated/schemas/datatypes.ts';
import { validateStructure } from '../../fhir/validate.ts';
import { invalidParameter, unsupportedParameter } from '../../search/refusal.ts';
import { splitCanonical, withVersion } from '../../terminology/canonical.ts';
import { type CodeSystem, readCodeSystem } from '../../terminology/code-system.ts';
import type { RequestContext } from '../context.ts';
import { locate } from '../locate.ts';
import { type OperationInput, readInput } from '../operation-input.ts';
import { parseBody } from '../parse-body.ts';
import { notFound, requireReadable, requireTypeAccess } from '../require-access.ts';
import type { Terms } from './open-terms.ts';

/** How an operation on value sets is told which. */
export const valueSetInput = {
  url: { type: 'uri' },
  valueSet: { type: 'Resource' },
  valueSetVersion: { type: 'string' },
  context: { type: 'uri' },
  date: { type: 'dateTime' },
} as const;

/** How an operation on code systems is told which, besides their addresses. */
export const codeSystemInput = { version: { type: 'string' }, date: { type: 'dateTime' } } as const;

/**
 * Reads the input of an operation on terminology, the elements of its codings too.
 *
 * @throws RecordError `invalid`, naming the parameter; `not-supported` for what R4 defines and nobody evaluates here, rather than answer as if it
 *   had not been asked.
 */
export const readTermsInput = <const D extends Parameters<typeof readInput>[1]>(
  context: RequestContext,
  definitions: D,
): OperationInput<D> => {
  const input = readInput(context, definitions);
  for (const [name, value] of Object.entries(input)) {
    if (value !== undefined && unserved[name] !== undefined) throw unsupportedParameter(name, unserved[name]);
    if (Array.isArray(value) && value.length > mostValues)
      throw new RecordError('too-costly', `This parameter may have ${mostValues} values`, { expression: name });
    const type = definitions[name]?.type;
    if (value !== undefined && (type === 'Coding' || type === 'CodeableConcept')) requireSound(name, type, value);
  }
  return input;
};

/** Names of the input that an operation takes and does not refuse. */
export const servedInput = (definitions: Parameters<typeof readInput>[1]): string[] =>
  Object.keys(definitions).filter((name) => unserved[name] === undefined);

/** Values of one parameter, as many as a query may have. */
const mostValues = 200;

const datatypes = { Coding: coding, CodeableConcept: codeableConcept };

const requireSound = (name: string, type: keyof typeof datatypes, value: unknown): void => {
  const details = validateStructure(datatypes[type], value).map((issue) => ({
    ...issue,
    expression: issue.expression.replace(type, name),
  }));
  if (details.length > 0)
    throw new RecordError('invalid', `The ${type} breaks ${details.length} rule(s)`, { reason: 'validation', details });
};

const unserved: Readonly<Record<string, string>> = {
  context: 'Value sets are not found by the elements that they are bound to',
  contextDirection: 'Value sets are not found by the elements that they are bound to',
  date: 'Definitions are not kept as they were at a time: name a version',
};

/** The parameter that names what is asked, or the id in the path. */
export const namedBy = (id: string, input: Readonly<Record<string, unknown>>, ...names: readonly string[]): string =>
  id === '' ? (names.find((name) => input[name] !== undefined) ?? names[0] ?? 'id') : 'id';

/**
 * The value set that an operation is asked about: the one in its path, in its input, or at an address. The address of a code system stands for
 * all of its codes. https://hl7.org/fhir/R4/terminology-service.html#validation
 *
 * @param id - of the record in the path; empty where the operation is asked of the type.
 * @throws RecordError `not-found` for what is not known to the caller; `invalid` unless one is named.
 */
export const askedValueSet = async (
  context: RequestContext,
  terms: Terms,
  id: string,
  { url, valueSet, valueSetVersion }: OperationInput<typeof valueSetInput>,
): Promise<fhir4.ValueSet> => {
  requireOne(id, { url, valueSet });
  if (url !== undefined) {
    const canonical = versioned(url, 'valueSetVersion', valueSetVersion);
    const found = await terms.valueSet(canonical);
    if (found) return found;
    const whole = await terms.codeSystem(canonical);
    if (whole)
      return { resourceType: 'ValueSet', status: 'active', url, compose: { include: [{ system: canonical }] } };
    throw unknown('url', 'This value set is not known here');
  }
  const given =
    valueSet === undefined
      ? await readInstance<fhir4.ValueSet>(context, id)
      : (parseBody(context.recordType, valueSet).resource as unknown as fhir4.ValueSet);
  requireVersion('valueSetVersion', valueSetVersion, given.version);
  return given;
};

/**
 * The code system that an operation is asked about.
 *
 * @param named - its address, and the parameter that told it.
 * @throws RecordError as `askedValueSet` does.
 */
export const askedCodeSystem = async (
  context: RequestContext,
  terms: Terms,
  id: string,
  named: { readonly parameter: string; readonly url: string | undefined },
  { version, codeSystem }: { readonly version: string | undefined; readonly codeSystem?: unknown },
): Promise<CodeSystem> => {
  requireOne(id, { [named.parameter]: named.url, codeSystem });
  if (named.url !== undefined) {
    const found = await terms.codeSystem(versioned(named.url, 'version', version));
    if (!found) throw unknown(named.parameter, 'This code system is not known here');
    return found;
  }
  const given =
    codeSystem === undefined
      ? await readInstance<fhir4.CodeSystem>(context, id)
      : (parseBody(context.recordType, codeSystem).resource as unknown as fhir4.CodeSystem);
  requireVersion('version', version, given.version);
  return readCodeSystem(given);
};

const unknown = (expression: string, message: string) => new RecordError('not-found', message, { expression });

/** Refuses an operation that does not say what it is about, or says so twice. */
const requireOne = (id: string, named: Readonly<Record<string, unknown>>): void => {
  const given = Object.keys(named).filter((name) => named[name] !== undefined);
  const [first, second] = id === '' ? given : ['id', ...given];
  if (first === undefined) {
    const [name = ''] = Object.keys(named);
    throw invalidParameter(name, `The operation needs this parameter here: ${Object.keys(named).join(' or ')}`);
  }
  if (second !== undefined) throw invalidParameter(second, 'The operation is told otherwise what it is about');
};

/** An address with the version that another parameter names. */
const versioned = (url: string, parameter: string, version: string | undefined): string => {
  const [, own] = splitCanonical(url);
  if (own !== undefined) requireVersion(parameter, version, own);
  return withVersion(url, version);
};

const requireVersion = (parameter: string, asked: string | undefined, actual: string | undefined): void => {
  if (asked !== undefined && asked !== actual) throw unknown(parameter, 'It has another version');
};

/** The record in the path of an operation, if the caller may read it. It leaves a trace like a read. */
const readInstance = async <T>(context: RequestContext, id: string): Promise<T> => {
  requireTypeAccess(context, 'r');
  const { recordType, store, audit, request } = context;
  const address = await locate(context, recordType.name, id);
  if (!address) throw notFound(context);
  const record = await audit.traced(
    {
      interaction: 'operation',
      chart: address.chart,
      what: [`${recordType.name}/${id}`],
      query: request.path.join('/'),
    },
    () => store.read(address),
    (found) => void requireReadable(context, found),
  );
  return requireReadable(context, record).resource as T;
};
