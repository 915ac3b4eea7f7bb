import { RecordError } from '../../errors.ts';
import type { Resource } from '../../fhir/resource.ts';
import { type FhirRequest, jsonPatch, longestUrl, modest, parseIfMatch, parseText } from '../../http/fhir-request.ts';
import type { Router } from '../../http/routes.ts';
import type { RecordType } from '../../record-types/define-record-type.ts';
import type { RequestContext } from '../context.ts';

/** What all entries of a bundle share, and the types that they may name. */
export interface BundleContext extends Omit<RequestContext, 'recordType'> {
  readonly typeNamed: (name: string) => Promise<RecordType | undefined>;
  readonly routeFor: Router;
}

/** What an entry asks for, of whatever type. */
export interface EntryRequest {
  readonly index: number;
  readonly fullUrl: string | undefined;
  readonly method: string;
  /** Segments of its URL. */
  readonly path: readonly string[];
  readonly resource: unknown;
  readonly request: FhirRequest;
}

/** One entry, understood as the request that it stands for. */
export interface Entry extends EntryRequest {
  readonly recordType: RecordType;
}

const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']);

/**
 * Reads an entry's request. https://hl7.org/fhir/R4/bundle.html#bundle-unique
 *
 * @throws RecordError `invalid` naming the element of the entry that is missing or wrong.
 */
export const parseEntry = async (context: BundleContext, entry: unknown, index: number): Promise<Entry> => {
  const asked = parseEntryRequest(context, entry, index);
  const recordType = await context.typeNamed(asked.path[0] ?? '');
  if (!recordType) throw invalid('There is no such resource type', `Bundle.entry[${index}].request.url`);
  return { ...asked, recordType };
};

/** The same where the path may be empty: then it is a search across types. */
export const parseEntryRequest = (context: BundleContext, entry: unknown, index: number): EntryRequest => {
  const at = `Bundle.entry[${index}]`;
  const { request, resource, fullUrl } = (entry ?? {}) as Partial<fhir4.BundleEntry>;
  if (!request || typeof request !== 'object') throw invalid('An entry needs a request', `${at}.request`);
  const { method } = request;
  if (typeof method !== 'string' || !methods.has(method))
    throw invalid('A request has the method GET, HEAD, POST, PUT, PATCH or DELETE', `${at}.request.method`);
  if (typeof request.url !== 'string' || request.url === '')
    throw invalid('A request needs a url', `${at}.request.url`);
  if (request.url.length > longestUrl) throw invalid(`A url may have ${longestUrl} letters`, `${at}.request.url`);
  if (fullUrl !== undefined && typeof fullUrl !== 'string') throw invalid('A fullUrl is a text', `${at}.fullUrl`);
  for (const element of ['ifMatch', 'ifNoneExist', 'ifNoneMatch', 'ifModifiedSince'] as const) {
    const value: unknown = request[element];
    if (value !== undefined && typeof value !== 'string') throw invalid('This is a text', `${at}.request.${element}`);
    if (value !== undefined && value.length > longestUrl)
      throw invalid(`This may have ${longestUrl} letters`, `${at}.request.${element}`);
  }
  const { baseUrl: base, idempotencyKey: key } = context.request;
  const inside = request.url.startsWith(`${base}/`) || request.url.startsWith(`${base}?`);
  const url = inside ? request.url.slice(base.length) : request.url;
  if (/^[a-z][a-z0-9+.-]*:/i.test(url)) throw invalid('A request goes to this server', `${at}.request.url`);
  const [pathText = '', queryText = ''] = url.split('?');
  const path = pathText.split('/').filter((segment) => segment !== '');
  const patch = method === 'PATCH' ? patchIn(resource, `${at}.resource`) : undefined;
  return {
    index,
    fullUrl,
    method,
    path,
    resource: patch ? patch.body : resource,
    request: {
      ...context.request,
      method: method === 'HEAD' ? 'GET' : method,
      path,
      query: modest([...new URLSearchParams(queryText)]),
      body: patch ? patch.body : resource,
      mediaType: patch?.mediaType ?? '',
      ifMatch: parseIfMatch(request.ifMatch),
      ifNoneExist: request.ifNoneExist,
      ifNoneMatch: request.ifNoneMatch,
      ifModifiedSince: request.ifModifiedSince,
      // In a batch each entry is a request of its own, so it has a key of its own.
      ...(key === undefined ? {} : { idempotencyKey: `${key} ${index}` }),
    },
  };
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
export const mayCreate = ({ method }: Entry): boolean => method === 'POST' || method === 'PUT';
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
