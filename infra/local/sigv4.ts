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

/** Requests signed longer ago, or for later, are refused: 15 minutes. */
const longestSkewMs = 15 * 60_000;

/**
 * Checks a request's signature in its Authorization header, by its own reading of the specification: not with the code that signed it.
 *
 * @param now - milliseconds since 1970.
 * @returns undefined if it holds, else the code that S3 answers with.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 */
export const signatureFault = (request: SignedRequest, signer: Signer, now: number): string | undefined => {
  const { authorization = '' } = request.headers;
  const [, accessKeyId, date, region, service, signed = '', signature = ''] =
    /^AWS4-HMAC-SHA256 Credential=([^/,]+)\/(\d{8})\/([^/,]+)\/([^/,]+)\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/.exec(
      authorization,
    ) ?? [];
  if (accessKeyId === undefined) return 'AccessDenied';
  if (accessKeyId !== signer.accessKeyId) return 'InvalidAccessKeyId';
  if (region !== signer.region || service !== signer.service) return 'AuthorizationHeaderMalformed';
  const at = String(request.headers['x-amz-date'] ?? '');
  const time = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(at);
  if (!time || !at.startsWith(`${date}T`)) return 'AccessDenied';
  const [year = 0, month = 0, ...rest] = time.slice(1).map(Number);
  if (Math.abs(Date.UTC(year, month - 1, ...rest) - now) > longestSkewMs) return 'RequestTimeTooSkewed';
  const names = signed.split(';');
  const mustBeSigned = ['host', ...Object.keys(request.headers).filter((name) => name.startsWith('x-amz-'))];
  if (mustBeSigned.some((name) => !names.includes(name))) return 'AccessDenied';
  const canonical = [
    request.method,
    canonicalPath(request.path),
    canonicalQuery(request.query),
    ...names.map(
      (name) =>
        `${name}:${String(request.headers[name] ?? '')
          .trim()
          .replace(/ +/g, ' ')}`,
    ),
    '',
    signed,
    String(request.headers['x-amz-content-sha256'] ?? ''),
  ].join('\n');
  const scope = `${date}/${region}/${service}/aws4_request`;
  const text = `AWS4-HMAC-SHA256\n${at}\n${scope}\n${createHash('sha256').update(canonical).digest('hex')}`;
  const hmac = (key: string | Buffer, value: string) => createHmac('sha256', key).update(value).digest();
  const key = [date ?? '', region, service, 'aws4_request'].reduce(
    (from: string | Buffer, part) => hmac(from, part),
    `AWS4${signer.secretAccessKey}`,
  );
  return timingSafeEqual(hmac(key, text), Buffer.from(signature, 'hex')) ? undefined : 'SignatureDoesNotMatch';
};

/** S3 encodes the path again by its own rules, so one that was sent otherwise does not match. */
const canonicalPath = (sent: string): string => {
  try {
    return decodeURIComponent(sent)
      .split('/')
      .map((segment) =>
        encodeURIComponent(segment).replace(
          /[!'()*]/g,
          (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`,
        ),
      )
      .join('/');
  } catch {
    return sent;
  }
};

const canonicalQuery = (query: string): string =>
  query
    .split('&')
    .filter((part) => part !== '')
    .map((part) => (part.includes('=') ? part : `${part}=`))
    .sort()
    .join('&');
