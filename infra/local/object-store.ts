import { randomUUID } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { log } from '../../shared/log.ts';
import { dummyCredentials } from './dummy-credentials.ts';
import { keptAliveMs } from './kept-alive.ts';
import { type Digests, longestKey, ObjectFiles, Refused, type StoredObject } from './object-files.ts';
import { isPresigned, signatureFault } from './sigv4.ts';

/**
 * A stand-in of Amazon S3 over files, with what S3 refuses: PutObject, CopyObject, GetObject, DeleteObject and ListObjectsV2, by signed headers or a signed address, and what is known of an object beside its
 * bytes: its tags and attributes.
 */
export interface LocalObjectStore {
  readonly endpoint: string;
  /**
   * Makes a bucket, if it is not there. There are no others: a request for one is answered as S3 does.
   *
   * @param options - `locked`: under Object Lock, and with the policy of the bucket of digests: an object is written once and never removed.
   */
  readonly createBucket: (name: string, options?: { readonly locked?: boolean }) => void;
  /** Keys of a bucket's objects, in no order. */
  readonly keys: (bucket: string) => Promise<string[]>;
  /** Gives an object its tags, as a scanner does. */
  readonly tag: (bucket: string, key: string, tags: Readonly<Record<string, string>>) => Promise<void>;
  /** Ends what is under way, scans too. */
  readonly stop: () => Promise<void>;
}

const signer = {
  accessKeyId: dummyCredentials.AWS_ACCESS_KEY_ID,
  secretAccessKey: dummyCredentials.AWS_SECRET_ACCESS_KEY,
  region: dummyCredentials.AWS_REGION,
  service: 's3',
} as const;

/** What becomes of objects under a prefix: they are scanned behind the answer to whoever puts them, as by a scanner that hears of it, and their life is short. */
export interface Quarantine {
  readonly prefix: string;
  /** Milliseconds. What is older is removed as the store starts. */
  readonly lifetimeMs: number;
  /** Tag by which it tells what it has found. */
  readonly tag: string;
  readonly scan: (content: Readable) => Promise<string>;
}

/**
 * Serves buckets at `/<bucket>/<key>` of a free loopback port, to unmodified AWS clients, and to whoever has a signed address.
 *
 * @param folder - keeps the objects.
 */
export const startObjectStore = async (folder: string, quarantine?: Quarantine): Promise<LocalObjectStore> => {
  const files = new ObjectFiles(folder);
  const under = new Set<Promise<void>>();
  const behind = (work: Promise<void>): void => {
    const ended = work.catch((error: unknown) => log.fault('object store failed', error));
    under.add(ended);
    void ended.then(() => under.delete(ended));
  };
  const looked = ({ bucket, key }: Put): void => {
    if (quarantine && key.startsWith(quarantine.prefix)) behind(scanned(files, quarantine, bucket, key));
  };
  const server = createServer({ keepAliveTimeout: keptAliveMs }, (request, response) => {
    serve(request, files, looked)
      .catch((error: unknown): Answer => {
        const { statusCode, code, message } =
          error instanceof Refused ? error : new Refused(500, 'InternalError', 'We encountered an internal error.');
        return xml(`<Error><Code>${code}</Code><Message>${message}</Message></Error>`, statusCode);
      })
      .then((answer) => send(response, answer, request.headers.origin))
      .catch(() => response.destroy()); // whoever asked has gone
  });
  server.unref(); // nobody waits for a store alone
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    createBucket: (name, { locked = false } = {}) => {
      files.createBucket(name, locked);
      if (quarantine) behind(files.expire(name, quarantine.prefix, Date.now() - quarantine.lifetimeMs));
    },
    keys: (bucket) => files.keys(bucket),
    tag: (bucket, key, tags) => files.tag(bucket, key, tags),
    stop: async () => {
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
      await Promise.all(under);
    },
  };
};

const scanned = async (files: ObjectFiles, { tag, scan }: Quarantine, bucket: string, key: string): Promise<void> => {
  const object = await files.get(bucket, key);
  if (object) await files.tag(bucket, key, { [tag]: await scan(object.content()) });
};

/** An object that was put. */
type Put = Pick<Asked, 'bucket' | 'key'>;

interface Answer {
  readonly statusCode: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly object?: StoredObject;
  readonly bytes?: Uint8Array;
}

const xml = (content: string, statusCode = 200): Answer => ({
  statusCode,
  headers: { 'content-type': 'application/xml' },
  bytes: Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>\n${content}`),
});

/** One object, and what is asked of it. */
interface Asked {
  readonly bucket: string;
  readonly key: string;
  readonly request: IncomingMessage;
  /** Parameters of the address, without those of its signature. */
  readonly parameters: URLSearchParams;
  readonly presigned: boolean;
}

/** What a page may do that has a signed address, as the bucket of the stack says. https://docs.aws.amazon.com/AmazonS3/latest/userguide/cors.html */
const preflight = ({ headers }: IncomingMessage): Answer => {
  const method = String(headers['access-control-request-method'] ?? '');
  if (headers.origin === undefined || !['GET', 'PUT'].includes(method))
    throw new Refused(403, 'AccessForbidden', 'CORSResponse: This CORS request is not allowed.');
  return {
    statusCode: 200,
    headers: {
      'access-control-allow-origin': '*',
      'access-control-allow-methods': 'GET, PUT',
      'access-control-allow-headers': String(headers['access-control-request-headers'] ?? ''),
    },
  };
};

const serve = async (request: IncomingMessage, files: ObjectFiles, wasPut: (put: Put) => void): Promise<Answer> => {
  const { method = '', headers } = request;
  if (method === 'OPTIONS') return preflight(request);
  const [target = '', query = ''] = (request.url ?? '/').split('?');
  const fault = signatureFault({ method, path: target, query, headers }, signer, Date.now());
  if (fault) throw new Refused(fault.statusCode, fault.code, fault.message);
  const [, bucket = '', ...rest] = target.split('/');
  const key = decodeKey(rest.join('/'));
  if (!files.has(bucket)) throw new Refused(404, 'NoSuchBucket', 'The specified bucket does not exist');
  if (Buffer.byteLength(key) > longestKey) throw new Refused(400, 'KeyTooLongError', 'Your key is too long');
  const presigned = isPresigned({ query });
  if (!presigned && headers['x-amz-content-sha256'] === undefined) {
    throw new Refused(400, 'InvalidRequest', 'Missing required header for this request: x-amz-content-sha256');
  }
  const parameters = new URLSearchParams(
    [...new URLSearchParams(query)].filter(([name]) => !name.startsWith('X-Amz-')),
  );
  const asked = { bucket, key, request, parameters, presigned };
  if (key === '' && method === 'GET' && parameters.get('list-type') === '2') return listed(files, bucket, parameters);
  const served = key === '' ? undefined : verbs[verbOf(method, parameters)];
  if (served) {
    const answer = await served(files, asked);
    if (method === 'PUT') wasPut(asked);
    return answer;
  }
  throw ['GET', 'PUT', 'DELETE'].includes(method)
    ? new Refused(501, 'NotImplemented', 'The local stack does not serve this.')
    : new Refused(405, 'MethodNotAllowed', 'The specified method is not allowed against this resource.');
};

/** The method, and what of an object it is about. Those of an answer's headers go with a plain GET. */
const verbOf = (method: string, parameters: URLSearchParams): string => {
  const names = [...parameters.keys()].filter((name) => method !== 'GET' || !overrides.has(name));
  return [method, ...names].join(' ');
};

/** What an address may say of the headers of its answer. https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html */
const overrides: ReadonlyMap<string, string> = new Map([
  ['response-cache-control', 'cache-control'],
  ['response-content-disposition', 'content-disposition'],
  ['response-content-type', 'content-type'],
]);

const missing = () => new Refused(404, 'NoSuchKey', 'The specified key does not exist.');

const verbs: Readonly<Record<string, (files: ObjectFiles, asked: Asked) => Promise<Answer>>> = {
  PUT: async (files, { bucket, key, request, presigned }) => {
    const { headers } = request;
    const source = headers['x-amz-copy-source'];
    if (source !== undefined) return copied(files, bucket, key, String(source));
    if (headers['content-length'] === undefined)
      throw new Refused(411, 'MissingContentLength', 'You must provide the Content-Length HTTP header.');
    const sha256 = headers['x-amz-checksum-sha256'];
    if (files.isLocked(bucket)) requireLockedPut(headers);
    const etag = await files.put(
      bucket,
      key,
      {
        type: headers['content-type'] ?? 'binary/octet-stream',
        ...(sha256 === undefined ? {} : { sha256: String(sha256) }),
      },
      {
        body: request,
        isNew: headers['if-none-match'] === '*',
        require: (digests) => requireDigests(headers, digests, presigned),
      },
    );
    return { statusCode: 200, headers: { etag: `"${etag}"` } };
  },
  GET: async (files, { bucket, key, parameters }) => {
    const object = await files.get(bucket, key);
    if (!object) throw missing();
    const told = [...overrides].flatMap(([name, header]) => {
      const value = parameters.get(name);
      return value === null ? [] : [[header, value] as const];
    });
    const headers = { etag: `"${object.etag}"`, 'content-type': object.type, ...Object.fromEntries(told) };
    return { statusCode: 200, headers, object };
  },
  DELETE: async (files, { bucket, key }) => {
    if (files.isLocked(bucket)) throw new Refused(403, 'AccessDenied', 'Access Denied');
    await files.delete(bucket, key);
    return { statusCode: 204 };
  },
  // https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectTagging.html
  'GET tagging': async (files, { bucket, key }) => {
    const tags = await files.tagsOf(bucket, key);
    if (!tags) throw missing();
    const each = Object.entries(tags).map(([name, value]) => `<Tag><Key>${name}</Key><Value>${value}</Value></Tag>`);
    return xml(`<Tagging><TagSet>${each.join('')}</TagSet></Tagging>`);
  },
  // https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectAttributes.html
  'GET attributes': async (files, { bucket, key, request: { headers } }) => {
    const asked = String(headers['x-amz-object-attributes'] ?? '').split(',');
    if (!asked.every((name) => name === 'Checksum' || name === 'ObjectSize'))
      throw new Refused(501, 'NotImplemented', 'The local stack does not serve this.');
    const object = await files.get(bucket, key);
    if (!object) throw missing();
    await object.close();
    const size = asked.includes('ObjectSize') ? `<ObjectSize>${object.size}</ObjectSize>` : '';
    const checksum = asked.includes('Checksum') ? checksumOf(object) : '';
    return xml(`<GetObjectAttributesResponse>${checksum}${size}</GetObjectAttributesResponse>`);
  },
};

/** Names on a page. https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html */
const pageSize = 1_000;

/** In the order of their bytes. */
const listed = async (files: ObjectFiles, bucket: string, parameters: URLSearchParams): Promise<Answer> => {
  const { 'list-type': _, prefix = '', 'start-after': after = '', ...others } = Object.fromEntries(parameters);
  if (Object.keys(others).length > 0) throw new Refused(501, 'NotImplemented', 'The local stack does not serve this.');
  const found = (await files.keys(bucket))
    .filter((key) => key.startsWith(prefix) && Buffer.compare(Buffer.from(key), Buffer.from(after)) > 0)
    .sort((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)));
  const contents = found.slice(0, pageSize).map((key) => `<Contents><Key>${inXml(key)}</Key></Contents>`);
  const truncated = `<IsTruncated>${found.length > pageSize}</IsTruncated>`;
  return xml(`<ListBucketResult>${truncated}${contents.join('')}</ListBucketResult>`);
};

const inXml = (text: string): string => text.replace(/[&<>]/g, (letter) => `&#${letter.charCodeAt(0)};`);

const checksumOf = ({ sha256 }: Pick<StoredObject, 'sha256'>): string =>
  sha256 === undefined ? '' : `<Checksum><ChecksumSHA256>${sha256}</ChecksumSHA256></Checksum>`;

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html */
const copied = async (files: ObjectFiles, bucket: string, key: string, source: string): Promise<Answer> => {
  const [from = '', ...rest] = source.replace(/^\//, '').split('/');
  const object = files.has(from) ? await files.get(from, decodeKey(rest.join('/'))) : undefined;
  if (!object) throw missing();
  const { type, sha256 } = object;
  const etag = await files.put(bucket, key, { type, sha256 }, { body: object.content() });
  const checksum = sha256 === undefined ? '' : `<ChecksumSHA256>${sha256}</ChecksumSHA256>`;
  return xml(`<CopyObjectResult><ETag>"${etag}"</ETag>${checksum}</CopyObjectResult>`);
};

/** What S3 asks of a put under Object Lock, and the bucket's policy: that it replaces nothing. */
const requireLockedPut = (headers: IncomingHttpHeaders): void => {
  if (headers['if-none-match'] !== '*') throw new Refused(403, 'AccessDenied', 'Access Denied');
  if (headers['content-md5'] === undefined) {
    throw new Refused(
      400,
      'InvalidRequest',
      'Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock parameters',
    );
  }
};

/** What a signed address may say instead of a hash of the body, which is not known when it is made. */
const unsignedPayload = 'UNSIGNED-PAYLOAD';

/** Requires that the body is the one that was signed and announced. */
const requireDigests = (headers: IncomingHttpHeaders, { sha256, md5 }: Digests, presigned: boolean): void => {
  const signed = headers['x-amz-content-sha256'] ?? unsignedPayload;
  if (signed !== sha256 && !(presigned && signed === unsignedPayload)) {
    throw new Refused(
      400,
      'XAmzContentSHA256Mismatch',
      "The provided 'x-amz-content-sha256' header does not match what was computed.",
    );
  }
  const announced = headers['content-md5'];
  if (announced !== undefined && announced !== md5)
    throw new Refused(400, 'BadDigest', 'The Content-MD5 you specified did not match what we received.');
  const checksum = headers['x-amz-checksum-sha256'];
  if (checksum !== undefined && checksum !== Buffer.from(sha256, 'hex').toString('base64'))
    throw new Refused(400, 'BadDigest', 'The SHA256 you specified did not match the calculated checksum.');
};

const decodeKey = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new Refused(400, 'InvalidURI', "Couldn't parse the specified URI.");
  }
};

const send = async (
  response: ServerResponse,
  { statusCode, headers = {}, object, bytes }: Answer,
  origin: string | undefined,
): Promise<void> => {
  const length = object?.size ?? bytes?.length ?? 0;
  response.writeHead(statusCode, {
    'x-amz-request-id': randomUUID(),
    'content-length': length,
    ...(origin === undefined ? {} : { 'access-control-allow-origin': '*' }),
    ...headers,
  });
  await pipeline(object?.content() ?? Readable.from(bytes ? [bytes] : []), response);
};
