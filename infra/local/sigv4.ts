import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/** What a signature is over. */
export interface SignedRequest {
  readonly method: string;
  /** As it was sent, still percent-encoded. */
  readonly path: string;
  /** As it was sent, without the question mark. */
  readonly query: string;
  readonly headers: IncomingHttpHeaders;
}

/** Whose signature is expected. */
export interface Signer {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly region: string;
  readonly service: string;
}

/** Why a request is refused, in S3's words. */
export interface Fault {
  readonly statusCode: number;
  readonly code: string;
  readonly message: string;
}

const denied = (message: string): Fault => ({ statusCode: 403, code: 'AccessDenied', message });
const malformed = (code: string, message: string): Fault => ({ statusCode: 400, code, message });
const unknownKey: Fault = {
  statusCode: 403,
  code: 'InvalidAccessKeyId',
  message: 'The AWS Access Key Id you provided does not exist in our records.',
};
const mismatch: Fault = {
  statusCode: 403,
  code: 'SignatureDoesNotMatch',
  message: 'The request signature we calculated does not match the signature you provided.',
};

/** Requests signed longer ago, or for later, are refused: 15 minutes. */
const longestSkewMs = 15 * 60_000;
/** Seconds for which an address can be signed at most: a week. */
const longestLife = 604_800;

/**
 * Checks the signature of a request: in its Authorization header, or in its address.
 *
 * @param now - milliseconds since 1970.
 * @returns undefined if it holds.
 */
export const signatureFault = (request: SignedRequest, signer: Signer, now: number): Fault | undefined => {
  if (!isPresigned(request)) return headerFault(request, signer, now);
  return request.headers.authorization === undefined
    ? addressFault(request, signer, now)
    : malformed('InvalidArgument', 'Only one auth mechanism allowed');
};

/** Whether the address itself is signed. */
export const isPresigned = ({ query }: Pick<SignedRequest, 'query'>): boolean => /(?:^|&)X-Amz-Signature=/.test(query);

/**
 * Checks a request's signature in its Authorization header, by its own reading of the specification: not with the code that signed it.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 */
const headerFault = (request: SignedRequest, signer: Signer, now: number): Fault | undefined => {
  const { authorization = '' } = request.headers;
  const [, accessKeyId, date = '', region, service, signed = '', signature = ''] =
    /^AWS4-HMAC-SHA256 Credential=([^/,]+)\/(\d{8})\/([^/,]+)\/([^/,]+)\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/.exec(
      authorization,
    ) ?? [];
  if (accessKeyId === undefined) return denied('Access Denied');
  if (accessKeyId !== signer.accessKeyId) return unknownKey;
  if (region !== signer.region || service !== signer.service)
    return malformed('AuthorizationHeaderMalformed', 'The authorization header is malformed.');
  const at = String(request.headers['x-amz-date'] ?? '');
  const time = timeOf(at);
  if (time === undefined || !at.startsWith(`${date}T`)) return denied('Access Denied');
  if (Math.abs(time - now) > longestSkewMs)
    return { statusCode: 403, code: 'RequestTimeTooSkewed', message: 'The difference is too large.' };
  const payload = String(request.headers['x-amz-content-sha256'] ?? '');
  return (
    coverageFault(request, signed) ??
    (holds(request, signer, { at, signed, payload, signature }) ? undefined : mismatch)
  );
};

/**
 * Checks the signature in a request's address.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
 */
const addressFault = (request: SignedRequest, signer: Signer, now: number): Fault | undefined => {
  const parameters = new URLSearchParams(request.query);
  const told = (name: string) => parameters.get(`X-Amz-${name}`) ?? '';
  const [accessKeyId, date = '', region, service, end] = told('Credential').split('/');
  const at = told('Date');
  const time = timeOf(at);
  const life = /^\d{1,7}$/.test(told('Expires')) ? Number(told('Expires')) : 0;
  const isWhole =
    told('Algorithm') === 'AWS4-HMAC-SHA256' &&
    end === 'aws4_request' &&
    at.startsWith(`${date}T`) &&
    told('SignedHeaders') !== '' &&
    region === signer.region &&
    service === signer.service &&
    life >= 1 &&
    life <= longestLife;
  if (!isWhole || time === undefined)
    return malformed('AuthorizationQueryParametersError', 'The parameters of the signature are wrong.');
  if (accessKeyId !== signer.accessKeyId) return unknownKey;
  if (time - now > longestSkewMs) return denied('Request is not yet valid');
  if (now > time + life * 1_000) return denied('Request has expired');
  const signed = told('SignedHeaders');
  const payload = String(
    request.headers['x-amz-content-sha256'] ?? parameters.get('X-Amz-Content-Sha256') ?? 'UNSIGNED-PAYLOAD',
  );
  const query = request.query
    .split('&')
    .filter((part) => !part.startsWith('X-Amz-Signature='))
    .join('&');
  const proof = { at, signed, payload, signature: told('Signature') };
  return coverageFault(request, signed) ?? (holds({ ...request, query }, signer, proof) ? undefined : mismatch);
};

/** Milliseconds since 1970. */
const timeOf = (at: string): number | undefined => {
  const time = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(at);
  if (!time) return undefined;
  const [year = 0, month = 0, ...rest] = time.slice(1).map(Number);
  return Date.UTC(year, month - 1, ...rest);
};

/** What of a request has to be signed wherever it is there. */
const coverageFault = ({ headers }: SignedRequest, signed: string): Fault | undefined => {
  const names = signed.split(';');
  const mustBeSigned = ['host', ...Object.keys(headers).filter((name) => name.startsWith('x-amz-'))];
  return mustBeSigned.every((name) => names.includes(name))
    ? undefined
    : denied('There were headers present in the request which were not signed');
};

interface Proof {
  /** When it was signed, as it is written there. */
  readonly at: string;
  /** Names of the headers that are signed. */
  readonly signed: string;
  /** What stands for the body. */
  readonly payload: string;
  readonly signature: string;
}

const holds = (
  { method, path, query, headers }: SignedRequest,
  { region, service, secretAccessKey }: Signer,
  { at, signed, payload, signature }: Proof,
): boolean => {
  const canonical = [
    method,
    canonicalPath(path),
    canonicalQuery(query),
    ...signed.split(';').map(
      (name) =>
        `${name}:${String(headers[name] ?? '')
          .trim()
          .replace(/ +/g, ' ')}`,
    ),
    '',
    signed,
    payload,
  ].join('\n');
  const date = at.slice(0, 8);
  const scope = `${date}/${region}/${service}/aws4_request`;
  const text = `AWS4-HMAC-SHA256\n${at}\n${scope}\n${createHash('sha256').update(canonical).digest('hex')}`;
  const hmac = (key: string | Buffer, value: string) => createHmac('sha256', key).update(value).digest();
  const key = [date, region, service, 'aws4_request'].reduce(
    (from: string | Buffer, part) => hmac(from, part),
    `AWS4${secretAccessKey}`,
  );
  const given = Buffer.from(signature, 'hex');
  return given.length === 32 && timingSafeEqual(hmac(key, text), given);
};

/** S3 encodes paths and queries again by its own rules, so one that was sent otherwise does not match. */
const encoded = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`);

const decoded = (sent: string): string | undefined => {
  try {
    return decodeURIComponent(sent);
  } catch {
    return undefined;
  }
};

const canonicalPath = (sent: string): string => decoded(sent)?.split('/').map(encoded).join('/') ?? sent;

const canonicalQuery = (query: string): string =>
  query
    .split('&')
    .filter((part) => part !== '')
    .map((part) => {
      const [name = '', ...value] = part.split('=');
      return [name, value.join('=')].map((each) => encoded(decoded(each) ?? each)).join('=');
    })
    .sort()
    .join('&');
