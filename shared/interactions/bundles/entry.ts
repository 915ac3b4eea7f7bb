import { RecordError } from '../../errors.ts';
import { bundleSchema } from '../../fhir/generated/schemas/Bundle.ts';
import type { Resource } from '../../fhir/resource.ts';
import { validateStructure } from '../../fhir/validate.ts';
import {
  type FhirRequest,
  jsonPatch,
  longestUrl,
  modest,
  parametersIn,
  parseIfMatch,
  parseText,
} from '../../http/fhir-request.ts';
import type { Router } from '../../http/routes.ts';
import type { SystemRouter } from '../../http/system-routes.ts';
import type { RecordType } from '../../record-types/define-record-type.ts';
import type { PlannedInteraction, RequestContext } from '../context.ts';
import type { ReadingBudget } from './reading-budget.ts';

/** What all entries of a bundle share, and what they may ask for. */
export interface BundleContext extends Omit<RequestContext, 'recordType'> {
  readonly typeNamed: (name: string) => RecordType | undefined;
  readonly routeFor: Router;
  readonly systemRouteFor: SystemRouter;
  readonly budget: ReadingBudget;
  /** Is told of each entry of a batch that is refused, and why. */
  readonly onRefusal: (error: unknown, given: unknown) => void;
}

/** An entry, understood as the request that it stands for. */
export interface EntryRequest {
  readonly index: number;
  readonly fullUrl: string | undefined;
  readonly method: string;
  /** Segments of its URL, percent-decoded. */
  readonly path: readonly string[];
  readonly resource: unknown;
  readonly request: FhirRequest;
}

/** One that is about records of a type. */
export interface Entry extends EntryRequest {
  readonly recordType: RecordType;
  /** Given for an operation that writes: its plan under the context of the entry. */
  readonly plan?: ((context: RequestContext) => ReturnType<PlannedInteraction>) | undefined;
}

/**
 * Reads the request of an entry. https://hl7.org/fhir/R4/bundle.html#bundle-unique
 *
 * @throws RecordError naming the element of the entry that is missing or wrong.
 */
export const parseEntry = (context: BundleContext, given: unknown, index: number): EntryRequest => {
  const at = `Bundle.entry[${index}]`;
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw invalid('An entry is an object with a request', at);
  const { request, resource, fullUrl } = given as Partial<fhir4.BundleEntry>;
  if (!request || typeof request !== 'object') throw invalid('An entry needs a request', `${at}.request`);
  requireShort(request, at);
  requireForm(given, at);
  // https://hl7.org/fhir/R4/bundle.html#invs (bdl-8)
  if (fullUrl?.includes('/_history/') === true)
    throw invalid('A fullUrl names a record, not a version of it', `${at}.fullUrl`);
  const { method, url } = request;
  const [pathText, queryText] = splitOnce(withinBase(context, url, `${at}.request.url`), '?');
  const path = segmentsOf(pathText, `${at}.request.url`);
  const asked = parametersIn(queryText);
  const patch = method === 'PATCH' ? patchIn(resource, `${at}.resource`) : undefined;
  const searching = method === 'POST' && path.at(-1) === '_search';
  const query = searching ? [...asked, ...formIn(resource, `${at}.resource`)] : asked;
  const body = searching ? undefined : patch ? patch.body : resource;
  const { idempotencyKey: key } = context.request;
  return {
    index,
    fullUrl,
    method,
    path,
    resource: body,
    request: {
      ...context.request,
      method: method === 'HEAD' ? 'GET' : method,
      path,
      query: modest(query),
      body,
      raw: false,
      wishes: [],
      mediaType: patch?.mediaType ?? '',
      ifMatch: parseIfMatch(request.ifMatch),
      ifNoneExist: request.ifNoneExist,
      ifNoneMatch: request.ifNoneMatch,
      ifModifiedSince: request.ifModifiedSince,
      // In a batch each entry is a request of its own, so it has a key of its own: one that no request can bear, for a header has no line break.
      ...(key === undefined ? {} : { idempotencyKey: `${key}\n${index}` }),
    },
  };
};

/** Nothing else bounds a text within a body; what is longer is not even looked at. */
const requireShort = (request: object, at: string): void => {
  for (const [element, value] of Object.entries(request)) {
    if (typeof value === 'string' && value.length > longestUrl)
      throw invalid(`This may have ${longestUrl} letters`, `${at}.request.${element.slice(0, longestElement)}`);
  }
};

/** Letters of an element's name: a longer one is none of FHIR's. */
const longestElement = 64;

/**
 * Requires that an entry has the form that R4 gives it, apart from its resource, which whoever takes it looks at; and nothing that belongs to other
 * kinds of bundles (bdl-2, bdl-4).
 */
const requireForm = (given: object, at: string): void => {
  const entry = Object.fromEntries(Object.entries(given).filter(([element]) => element !== 'resource'));
  const schema = bundleSchema.childOf('entry');
  if (!schema) throw new Error('A Bundle has entries');
  const issues = validateStructure(schema, entry);
  if (issues.length > 0) {
    throw new RecordError('invalid', 'The entry breaks rules', {
      reason: 'validation',
      details: issues.map((issue) => ({ ...issue, expression: issue.expression.replace(schema.typeName, () => at) })),
    });
  }
  for (const element of ['search', 'response'] as const)
    if (element in entry) throw invalid('A request has no such element', `${at}.${element}`);
};

/** A URL without the base of this server. */
const withinBase = ({ request: { baseUrl } }: BundleContext, url: string, at: string): string => {
  const local = url.startsWith(baseUrl) && /^(?:[/?]|$)/.test(url.slice(baseUrl.length));
  const relative = local ? url.slice(baseUrl.length) : url;
  if (/^(?:[a-z][a-z0-9+.-]*:|\/\/)/i.test(relative)) throw invalid('A request goes to this server', at);
  return relative;
};

const segmentsOf = (path: string, at: string): string[] => {
  try {
    return path
      .split('/')
      .filter((segment) => segment !== '')
      .map(decodeURIComponent);
  } catch {
    throw invalid('The path has a percent escape that is broken or is not UTF-8', at);
  }
};

const splitOnce = (text: string, separator: string): [before: string, behind: string] => {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
};

const form = 'application/x-www-form-urlencoded';

/** The parameters of a search by POST may come in a Binary: a form is no resource either. https://hl7.org/fhir/R4/http.html#search */
const formIn = (resource: unknown, at: string): [string, string][] => {
  if (resource === undefined) return [];
  const { resourceType, contentType, data } = (resource ?? {}) as Partial<fhir4.Binary>;
  if (resourceType !== 'Binary' || contentType !== form || typeof data !== 'string')
    throw invalid(`A search has its parameters in its url, or in a Binary as ${form}, in base 64`, at);
  return parametersIn(Buffer.from(data, 'base64').toString('utf8'));
};

/** A JSON Patch is no resource, so it comes in a Binary. https://hl7.org/fhir/R4/http.html#patch */
const patchIn = (resource: unknown, at: string): Pick<FhirRequest, 'body' | 'mediaType'> | undefined => {
  const { resourceType, contentType, data } = (resource ?? {}) as Partial<fhir4.Binary>;
  if (resourceType !== 'Binary') return undefined;
  if (contentType !== jsonPatch) throw invalid(`A Binary holds a patch as ${jsonPatch}`, `${at}.contentType`);
  if (typeof data !== 'string') throw invalid('A Binary holds a patch in base 64', `${at}.data`);
  try {
    return { body: parseText(Buffer.from(data, 'base64').toString('utf8')), mediaType: jsonPatch };
  } catch {
    throw invalid('What a Binary holds has to be JSON', `${at}.data`);
  }
};

const invalid = (message: string, expression: string) => new RecordError('invalid', message, { expression });

/** Whether an entry writes a whole resource. */
export const mayCreate = ({ method, plan }: Entry): boolean => !plan && (method === 'POST' || method === 'PUT');
/** Whether an entry writes a version of what is there. */
export const changes = ({ method }: Entry): boolean => method === 'PUT' || method === 'PATCH';

/** The resource of an entry that writes one, of the type that its URL names. It is checked later. */
export const bodyOf = (entry: Entry): Resource => {
  if (typeof entry.resource === 'object' && entry.resource !== null && !Array.isArray(entry.resource)) {
    const { resourceType } = entry.resource as { resourceType?: unknown };
    if (resourceType === entry.recordType.name) return entry.resource as Resource;
  }
  throw new RecordError('invalid', `The entry needs a ${entry.recordType.name} resource`, {
    expression: `Bundle.entry[${entry.index}].resource`,
  });
};

/** The context of the request that an entry stands for. */
export const contextOf = (bundle: BundleContext, entry: Entry): RequestContext => ({
  ...bundle,
  recordType: entry.recordType,
  request: entry.request,
});
