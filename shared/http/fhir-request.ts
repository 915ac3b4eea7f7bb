import { gunzipSync } from 'node:zlib';
import type { APIGatewayProxyEvent } from 'aws-lambda';
import { RecordError } from '../errors.ts';
import { parseJson } from '../fhir/json.ts';
import { type Wish, wanted, wantedCodings, wishesIn } from './negotiate.ts';

/** A request in FHIR's terms. */
export interface FhirRequest {
  readonly method: string;
  /** Path segments behind `/fhir`. */
  readonly path: readonly string[];
  /** Search parameters in the order sent, from the query and from the form body of `_search`. */
  readonly query: readonly (readonly [name: string, value: string])[];
  /** The base of this server as the client calls it, without a slash at its end. */
  readonly baseUrl: string;
  /** Parsed JSON; undefined if there is no body. Looked at only once it is asked for, so whoever may not write learns nothing from it. */
  readonly body: unknown;
  /** Whether the body came as content of whatever type, and was made a Binary here. */
  readonly raw: boolean;
  /** What the body is sent as, without parameters; empty if that is not said. */
  readonly mediaType: string;
  /** `any` for `*`: some version must be there. */
  readonly ifMatch: number | 'any' | undefined;
  readonly ifNoneExist: string | undefined;
  /** Versions that the client has, as it lists them. */
  readonly ifNoneMatch: string | undefined;
  /** Date of the version that the client has. */
  readonly ifModifiedSince: string | undefined;
  /** Names this request among its sender's, so that it can be sent again. */
  readonly idempotencyKey: string | undefined;
  readonly prefer: {
    readonly return: 'representation' | 'minimal' | 'OperationOutcome' | undefined;
    readonly strict: boolean;
  };
  readonly pretty: boolean;
  /** Content-Type of an answer in JSON, as the client wishes it. */
  readonly format: string;
  /** All that the client would take; empty in a bundle, whose entries are JSON. */
  readonly wishes: readonly Wish[];
}

export const largestBody = 4_000_000;
export const largestInflatedBody = 20_000_000;
/** Bytes of a form, inflated: room for 2,000 ids. The answer's `self` link repeats it, three letters for some of them. */
const largestForm = 200_000;
/** More than any search has; what is not understood is told of in the answer, one by one. */
const mostParameters = 200;
/** Letters of an address, as much as the gateway takes; within a bundle nothing else would bound it. */
export const longestUrl = 10_000;
export const fhirJson = 'application/fhir+json';
export const jsonPatch = 'application/json-patch+json';
export const jsonTypes = [fhirJson, 'application/json', 'text/json'];
/** What `fhirVersion` may say. https://hl7.org/fhir/R4/http.html#version-parameter */
const servedVersions = ['4.0', '4.0.1'];

/**
 * Reads an API Gateway proxy event.
 *
 * @throws RecordError `malformed`, `too-large`, `unsupported-media-type`, `not-acceptable` or `invalid`, naming the header or place.
 */
export const parseFhirRequest = (event: APIGatewayProxyEvent): FhirRequest => {
  // In reverse: of two that differ in case alone the first one counts, as for `headerOf`.
  const sent = Object.entries(event.headers ?? {}).reverse();
  const headers = new Map(sent.map(([name, value]) => [name.toLowerCase(), value]));
  const header = (name: string) => headers.get(name);
  const path = pathOf(event.path);
  const form = isForm(header('content-type'));
  const searching = path.at(-1) === '_search';
  const content = isContent(event.httpMethod, path);
  if (form && !searching && !content) throw unsupported('A form body is only for _search');
  if (searching && !form && event.body)
    throw unsupported('Send the parameters of _search as application/x-www-form-urlencoded');
  const bytes = () => bodyBytes(event, header('content-encoding'));
  const text = form && searching ? decode(bytes()) : undefined;
  if (text !== undefined && text.length > largestForm) throw tooLarge(`A form may have ${largestForm / 1e3} KB`);
  const query = modest([...queryOf(event), ...parametersIn(text ?? '')]);
  if (wantedCodings(header('accept-encoding')).length === 0)
    throw notAcceptable('An answer is sent as it is or as gzip', 'Accept-Encoding');
  const read = content && /^(?:GET|HEAD)$/.test(event.httpMethod);
  const { format, wishes } = formatOf(header('accept'), query.find(([name]) => name === '_format')?.[1], read);
  let parsed: Pick<FhirRequest, 'body' | 'raw'> | undefined;
  const parse = () => {
    if (form && searching) return { body: undefined, raw: false };
    if (content) return contentOf(bytes(), header, path[1]);
    return { body: parseBody(decode(bytes()), header('content-type'), event.httpMethod), raw: false };
  };
  return {
    method: event.httpMethod === 'HEAD' ? 'GET' : event.httpMethod,
    path,
    query,
    baseUrl: baseUrlOf(event, header),
    get body() {
      parsed ??= parse();
      return parsed.body;
    },
    get raw() {
      parsed ??= parse();
      return parsed.raw;
    },
    mediaType: mediaType(header('content-type')),
    ifMatch: parseIfMatch(header('if-match')),
    ifNoneExist: header('if-none-exist'),
    ifNoneMatch: header('if-none-match'),
    ifModifiedSince: header('if-modified-since'),
    idempotencyKey: parseIdempotencyKey(header('idempotency-key')?.trim()),
    prefer: parsePrefer(header('prefer')),
    pretty: query.some(([name, value]) => name === '_pretty' && value === 'true'),
    format,
    wishes,
  };
};

/** Whether a request reads or sends a Binary as what it is. https://hl7.org/fhir/R4/binary.html#rest */
const isContent = (method: string, [type, id = '', history, version]: readonly string[]): boolean => {
  if (type !== 'Binary' || /^[_$]/.test(id)) return false;
  if (method === 'POST' || method === 'PUT') return history === undefined;
  return (method === 'GET' || method === 'HEAD') && id !== '' && (history === undefined || version !== undefined);
};

/**
 * What is sent to be a Binary: the resource as FHIR, or what its content is to be. Ordinary JSON may be either, and is the resource where it says so.
 *
 * @throws RecordError `malformed` for FHIR that is no JSON.
 */
const contentOf = (
  bytes: Buffer | undefined,
  header: (name: string) => string | undefined,
  id: string | undefined,
): Pick<FhirRequest, 'body' | 'raw'> => {
  if (bytes === undefined) return { body: undefined, raw: false };
  const contentType = (header('content-type') || 'application/octet-stream').trim().replace(/\s*;\s*/g, '; ');
  const type = mediaType(contentType);
  if (type === fhirJson) return { body: parseBody(decode(bytes), contentType, 'PUT'), raw: false };
  if (jsonTypes.includes(type)) {
    const body = binaryIn(bytes);
    if (body) return { body, raw: false };
  }
  const reference = header('x-security-context')?.trim();
  const securityContext = reference ? { securityContext: { reference } } : {};
  const own = id === undefined ? {} : { id };
  const data = bytes.toString('base64');
  return { body: { resourceType: 'Binary', ...own, contentType, ...securityContext, data }, raw: true };
};

const binaryIn = (bytes: Buffer): unknown => {
  try {
    const body = parseText(decode(bytes) ?? '') as { resourceType?: unknown } | null;
    return body?.resourceType === 'Binary' ? body : undefined;
  } catch {
    return undefined; // JSON of whatever kind, such as a list in a file that is cut off
  }
};

/** @throws RecordError `invalid`. */
const parseIdempotencyKey = (key: string | undefined): string | undefined => {
  if (key === undefined || /^[\x20-\x7e]{1,255}$/.test(key)) return key;
  throw new RecordError('invalid', 'A key has 1 to 255 letters of ASCII', { expression: 'Idempotency-Key' });
};

/**
 * Parameters as a form or an address has them, one more at most than `modest` lets pass. Node takes time by the square of those without a value: nine
 * seconds for 600,000, which is 1.2 MB.
 */
export const parametersIn = (text: string): [name: string, value: string][] => {
  const parts = text.split('&').filter((part) => part !== '');
  return [...new URLSearchParams(parts.slice(0, mostParameters + 1).join('&'))];
};

/** @throws RecordError `too-costly` naming the first parameter that is one too many. */
export const modest = (query: FhirRequest['query']): FhirRequest['query'] => {
  const [name] = query[mostParameters] ?? [];
  if (name === undefined) return query;
  throw new RecordError('too-costly', `A request may have ${mostParameters} parameters`, { expression: name });
};

/** A header's value, whatever case the client wrote its name in. */
export const headerOf = (event: Pick<APIGatewayProxyEvent, 'headers'>, name: string): string | undefined =>
  Object.entries(event.headers ?? {}).find(([key]) => key.toLowerCase() === name)?.[1];

const queryOf = ({ multiValueQueryStringParameters }: APIGatewayProxyEvent): [string, string][] =>
  Object.entries(multiValueQueryStringParameters ?? {}).flatMap(([name, values]) =>
    (values ?? []).map((value): [string, string] => [name, value]),
  );

const pathOf = (path: string): string[] => {
  const segments = path.split('/').filter((segment) => segment !== '');
  try {
    return segments.slice(segments.indexOf('fhir') + 1).map(decodeURIComponent);
  } catch {
    throw new RecordError('malformed', 'The path has a percent escape that is broken or is not UTF-8', {
      expression: 'path',
    });
  }
};

/** The gateway's path still has its stage, which belongs to the base; the event's own path has not. */
const baseUrlOf = (event: APIGatewayProxyEvent, header: (name: string) => string | undefined): string => {
  const host = header('host') ?? event.requestContext.domainName ?? 'localhost';
  const scheme = header('x-forwarded-proto')?.split(',')[0]?.trim() ?? 'https';
  const full = event.requestContext.path ?? event.path;
  return `${scheme}://${host}${full.slice(0, full.indexOf('/fhir'))}/fhir`;
};

const isForm = (contentType: string | undefined) => mediaType(contentType) === 'application/x-www-form-urlencoded';

/** A media type without its parameters. */
export const mediaType = (value: string | undefined): string => (value ?? '').split(';')[0]?.trim().toLowerCase() ?? '';

const unsupported = (message: string, headers: Record<string, string> = {}) =>
  new RecordError('unsupported-media-type', message, { expression: 'Content-Type', headers });

const malformedBody = (message: string) => new RecordError('malformed', message, { expression: 'body' });

const tooLarge = (message: string) => new RecordError('too-large', message, { expression: 'Content-Length' });

/** What was sent, inflated; undefined if there is no body. */
export const bodyBytes = (
  event: Pick<APIGatewayProxyEvent, 'body' | 'isBase64Encoded'>,
  encoding = 'identity',
): Buffer | undefined => {
  if (!event.body) return undefined;
  const bytes = Buffer.from(event.body, event.isBase64Encoded ? 'base64' : 'utf8');
  if (bytes.length > largestBody) throw tooLarge(`A request may have ${largestBody / 1e6} MB`);
  const coding = encoding.trim().toLowerCase();
  if (coding === 'identity') return bytes;
  if (coding !== 'gzip') {
    throw new RecordError('unsupported-media-type', 'A body may be sent as it is or as gzip', {
      expression: 'Content-Encoding',
      headers: { 'Accept-Encoding': 'gzip' },
    });
  }
  // API Gateway can inflate a body, and then leaves the header as it was sent.
  if (!bytes.subarray(0, 2).equals(gzipMark)) return bytes;
  try {
    return gunzipSync(bytes, { maxOutputLength: largestInflatedBody });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') {
      throw tooLarge(`A request may have ${largestInflatedBody / 1e6} MB after inflation`);
    }
    throw new RecordError('malformed', 'The body is not gzip as its header says', { expression: 'Content-Encoding' });
  }
};

const gzipMark = Buffer.from([0x1f, 0x8b]);

const decode = (bytes: Uint8Array | undefined): string | undefined => {
  if (bytes === undefined) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes);
  } catch {
    throw malformedBody('The body is not UTF-8');
  }
};

const parseBody = (text: string | undefined, contentType: string | undefined, method: string): unknown => {
  if (text === undefined) return undefined;
  const type = mediaType(contentType);
  if (method === 'PATCH' && type !== jsonPatch && !jsonTypes.includes(type)) {
    throw unsupported(`Send a patch as ${jsonPatch} or ${fhirJson}`, { 'Accept-Patch': `${jsonPatch}, ${fhirJson}` });
  }
  if (method !== 'PATCH' && !jsonTypes.includes(type))
    throw unsupported(`Send FHIR as ${fhirJson} or application/json`);
  const [sent] = wishesIn(contentType ?? '');
  if (sent && !isServed(sent)) throw unsupported(otherVersion);
  if ((sent?.parameters.get('charset') ?? 'utf-8').toLowerCase() !== 'utf-8') throw unsupported('FHIR JSON is UTF-8');
  return parseText(text);
};

/**
 * Parses JSON that was sent.
 *
 * @throws RecordError `malformed`, telling where and nothing of what is there.
 */
export const parseText = (text: string): unknown => {
  requireSane(text);
  try {
    return parseJson(text);
  } catch (error) {
    // The engine's message quotes the body, so only the position is told.
    const position = /position (\d+)/.exec(error instanceof Error ? error.message : '')?.[1];
    throw malformedBody(`The body is not JSON${position === undefined ? '' : `, at character ${position}`}`);
  }
};

/** Deeper than any resource in a bundle; what walks a resource may then call itself. */
const deepest = 100;

/**
 * Requires, in one pass and before anything is parsed, that a body is not nested too deeply and that no text in it holds half of a surrogate
 * pair: that is no character, and stored as UTF-8 it would come back as another one.
 */
const requireSane = (text: string): void => {
  let depth = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const letter = text.charCodeAt(at);
    if (quoted) {
      if (letter === 92)
        at += escapeAt(text, at) - 1; // a backslash escapes what follows
      else if (letter === 34) quoted = false;
    } else if (letter === 34) quoted = true;
    else if (letter === 123 || letter === 91) {
      if (++depth > deepest) throw malformedBody(`The body is nested more than ${deepest} levels deep`);
    } else if (letter === 125 || letter === 93) depth--;
  }
};

/** Letters of the escape at a backslash, both halves of a pair together. */
const escapeAt = (text: string, at: number): number => {
  const high = unitAt(text, at);
  if (high === undefined || high < 0xd800 || high > 0xdfff) return 2;
  const low = unitAt(text, at + 6) ?? 0;
  if (high <= 0xdbff && low >= 0xdc00 && low <= 0xdfff) return 12;
  throw malformedBody('The body has half of a surrogate pair, which is no character');
};

/** The code unit of an escape such as `\u00e9`; undefined for any other escape. */
const unitAt = (text: string, at: number): number | undefined => {
  const digits = text.slice(at + 2, at + 6);
  return text.startsWith('\\u', at) && /^[0-9a-fA-F]{4}$/.test(digits) ? Number.parseInt(digits, 16) : undefined;
};

const notAcceptable = (message: string, expression: string) =>
  new RecordError('not-acceptable', message, { expression });

const isServed = ({ parameters }: Wish): boolean => servedVersions.includes(parameters.get('fhirversion') ?? '4.0');

const otherVersion = 'FHIR 4.0 is served, and no other fhirVersion';

/**
 * The Content-Type of an answer in JSON: the type that the client wants most, with the version that it names. What `_format` says goes before Accept.
 *
 * @param content - whether another type may be had; which one, its reader knows.
 *
 * @throws RecordError `not-acceptable` naming the header or parameter.
 * @see https://hl7.org/fhir/R4/http.html#mime-type
 */
const formatOf = (
  accept: string | undefined,
  format: string | undefined,
  content: boolean,
): Pick<FhirRequest, 'format' | 'wishes'> => {
  // An unescaped plus in a query is a space by the time it arrives.
  const asked = wishesIn(format?.replace(/^(\w+\/\w+) /, '$1+').replace(/^json\b/, fhirJson) ?? (accept || '*/*'));
  const served = asked.filter(isServed);
  const [type] = wanted(served, jsonTypes);
  if (type === undefined && !(content && served.length > 0)) {
    const message = served.length < asked.length ? otherVersion : `Only JSON is offered, such as ${fhirJson}`;
    throw notAcceptable(message, format === undefined ? 'Accept' : '_format');
  }
  const version = served.find(({ name }) => name === type)?.parameters.get('fhirversion');
  return {
    format: `${type ?? fhirJson}${version === undefined ? '' : `; fhirVersion=${version}`}; charset=utf-8`,
    wishes: served,
  };
};

/** The version that an If-Match header names. @throws RecordError `invalid` unless it is one version. */
export const parseIfMatch = (value: string | undefined): FhirRequest['ifMatch'] => {
  if (value === undefined) return undefined;
  if (value.trim() === '*') return 'any';
  const version = /^(?:W\/)?"([1-9]\d{0,9})"$/.exec(value.trim())?.[1];
  if (version === undefined) {
    throw new RecordError('invalid', 'If-Match is one version, written as W/"3"', { expression: 'If-Match' });
  }
  return Number(version);
};

const returns = ['representation', 'minimal', 'OperationOutcome'] as const;

const parsePrefer = (value: string | undefined): FhirRequest['prefer'] => {
  const preferences = (value ?? '').split(/[,;]/).map((part) => part.trim());
  const wanted = preferences.find((part) => part.startsWith('return='))?.slice('return='.length);
  return {
    return: returns.find((known) => known === wanted),
    strict: preferences.includes('handling=strict'),
  };
};
