import { createHash, randomUUID } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { link, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import path from 'node:path';
import { dummyCredentials } from './dummy-credentials.ts';
import { signatureFault } from './sigv4.ts';

/** A stand-in of Amazon S3 over files: PutObject, GetObject and DeleteObject, with what S3 refuses of them. */
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
  readonly stop: () => Promise<void>;
}

/** A refusal in S3's own words. https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html */
class Refused extends Error {
  readonly statusCode: number;
  readonly code: string;

  constructor(statusCode: number, code: string, message: string) {
    super(message);
    this.statusCode = statusCode;
    this.code = code;
  }
}

/** S3 takes 5 GB in one request. This one holds a request in memory, and nothing of ours comes near. */
const largestObject = 16 * 1024 * 1024;
/** Bytes of a key. https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html */
const longestKey = 1_024;
/** Bytes of a file before the object's: its key, each byte of it perhaps encoded by three, and a line feed. */
const longestHead = 3 * longestKey + 1;

const signer = {
  accessKeyId: dummyCredentials.AWS_ACCESS_KEY_ID,
  secretAccessKey: dummyCredentials.AWS_SECRET_ACCESS_KEY,
  region: dummyCredentials.AWS_REGION,
  service: 's3',
} as const;

/**
 * Serves buckets at `/<bucket>/<key>` of a free loopback port, to unmodified AWS clients.
 *
 * @param folder - keeps the objects.
 */
export const startObjectStore = async (folder: string): Promise<LocalObjectStore> => {
  const files = new ObjectFiles(folder);
  const server = createServer((request, response) => {
    serve(request, files).then(
      ({ statusCode, headers = {}, bytes }) => send(response, statusCode, headers, bytes),
      (error: unknown) => {
        const { statusCode, code, message } =
          error instanceof Refused ? error : new Refused(500, 'InternalError', 'We encountered an internal error.');
        const text = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${message}</Message></Error>`;
        send(response, statusCode, { 'content-type': 'application/xml' }, Buffer.from(text));
      },
    );
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
    createBucket: (name, { locked = false } = {}) => files.createBucket(name, locked),
    keys: (bucket) => files.keys(bucket),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};

interface Answer {
  readonly statusCode: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly bytes?: Uint8Array;
}

const serve = async (request: IncomingMessage, files: ObjectFiles): Promise<Answer> => {
  const { method = '', headers } = request;
  const [target = '', query = ''] = (request.url ?? '/').split('?');
  const fault = signatureFault({ method, path: target, query, headers }, signer, Date.now());
  if (fault !== undefined) {
    throw new Refused(fault === 'AuthorizationHeaderMalformed' ? 400 : 403, fault, 'The signature does not hold.');
  }
  const [, bucket = '', ...rest] = target.split('/');
  const key = decodeKey(rest.join('/'));
  if (!files.has(bucket)) throw new Refused(404, 'NoSuchBucket', 'The specified bucket does not exist');
  if (Buffer.byteLength(key) > longestKey) throw new Refused(400, 'KeyTooLongError', 'Your key is too long');
  const body = await bodyOf(request);
  if (key === '' || query !== '') throw new Refused(501, 'NotImplemented', 'The local stack does not serve this.');
  switch (method) {
    case 'PUT':
      if (files.isLocked(bucket)) requireLockedPut(headers, body);
      await files.put(bucket, key, body, headers['if-none-match'] === '*');
      return { statusCode: 200, headers: { etag: etagOf(body) } };
    case 'GET': {
      const bytes = await files.get(bucket, key);
      if (!bytes) throw new Refused(404, 'NoSuchKey', 'The specified key does not exist.');
      return { statusCode: 200, headers: { etag: etagOf(bytes), 'content-type': 'application/octet-stream' }, bytes };
    }
    case 'DELETE':
      if (files.isLocked(bucket)) throw new Refused(403, 'AccessDenied', 'Access Denied');
      await files.delete(bucket, key);
      return { statusCode: 204 };
    default:
      throw new Refused(405, 'MethodNotAllowed', 'The specified method is not allowed against this resource.');
  }
};

/** What S3 asks of a put under Object Lock, and the bucket's policy: that it replaces nothing. */
const requireLockedPut = (headers: IncomingMessage['headers'], body: Buffer): void => {
  if (headers['if-none-match'] !== '*') throw new Refused(403, 'AccessDenied', 'Access Denied');
  const sent = headers['content-md5'];
  if (sent === undefined) {
    throw new Refused(
      400,
      'InvalidRequest',
      'Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock parameters',
    );
  }
  if (sent !== createHash('md5').update(body).digest('base64')) {
    throw new Refused(400, 'BadDigest', 'The Content-MD5 you specified did not match what we received.');
  }
};

const decodeKey = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new Refused(400, 'InvalidURI', "Couldn't parse the specified URI.");
  }
};

/** The body, if it is the one that was signed. */
const bodyOf = async (request: IncomingMessage): Promise<Buffer> => {
  const { headers } = request;
  const signed = headers['x-amz-content-sha256'];
  if (signed === undefined) {
    throw new Refused(400, 'InvalidRequest', 'Missing required header for this request: x-amz-content-sha256');
  }
  if (request.method === 'PUT' && headers['content-length'] === undefined) {
    throw new Refused(411, 'MissingContentLength', 'You must provide the Content-Length HTTP header.');
  }
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > largestObject) throw new Refused(400, 'EntityTooLarge', 'Your proposed upload is too large');
    chunks.push(chunk);
  }
  const body = Buffer.concat(chunks);
  if (signed !== createHash('sha256').update(body).digest('hex')) {
    throw new Refused(
      400,
      'XAmzContentSHA256Mismatch',
      "The provided 'x-amz-content-sha256' header does not match what was computed.",
    );
  }
  return body;
};

const etagOf = (bytes: Uint8Array) => `"${createHash('md5').update(bytes).digest('hex')}"`;

const send = (
  response: ServerResponse,
  statusCode: number,
  headers: Readonly<Record<string, string>>,
  bytes: Uint8Array = Buffer.of(),
) => {
  response.writeHead(statusCode, { 'x-amz-request-id': randomUUID(), 'content-length': bytes.length, ...headers });
  response.end(bytes);
};

/**
 * One file an object: its key, a line feed, its bytes. The name is a hash of the key, so no key leads out of the folder, whatever is in
 * it. An object is there whole or not at all: it is written beside its place and then moved there.
 */
class ObjectFiles {
  readonly #folder: string;
  readonly #buckets = new Set<string>();
  readonly #locked = new Set<string>();

  constructor(folder: string) {
    this.#folder = folder;
    rmSync(this.#unfinished(''), { recursive: true, force: true }); // what a crash left half written
    mkdirSync(this.#unfinished(''), { recursive: true, mode: 0o700 });
  }

  createBucket(name: string, locked: boolean): void {
    // https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
    if (!/^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/.test(name))
      throw new Error('A bucket has 3 to 63 small letters, digits and hyphens');
    mkdirSync(path.join(this.#folder, name), { recursive: true, mode: 0o700 });
    this.#buckets.add(name);
    if (locked) this.#locked.add(name);
  }

  isLocked(bucket: string): boolean {
    return this.#locked.has(bucket);
  }

  has(bucket: string): boolean {
    return this.#buckets.has(bucket);
  }

  /** @throws Refused if it should be new and is not. */
  async put(bucket: string, key: string, bytes: Uint8Array, isNew: boolean): Promise<void> {
    const written = this.#unfinished(randomUUID());
    const file = await open(written, 'wx', 0o600);
    try {
      await file.writeFile(Buffer.concat([Buffer.from(`${encodeURIComponent(key)}\n`), bytes]));
      await file.datasync(); // S3 loses nothing that it has acknowledged
    } finally {
      await file.close();
    }
    if (!isNew) return rename(written, this.#file(bucket, key));
    try {
      await link(written, this.#file(bucket, key)); // of two at once, one is refused
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      throw new Refused(412, 'PreconditionFailed', 'At least one of the pre-conditions you specified did not hold');
    } finally {
      await rm(written);
    }
  }

  async get(bucket: string, key: string): Promise<Uint8Array | undefined> {
    try {
      const content = await readFile(this.#file(bucket, key));
      return content.subarray(content.indexOf(10) + 1);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  async delete(bucket: string, key: string): Promise<void> {
    await rm(this.#file(bucket, key), { force: true });
  }

  async keys(bucket: string): Promise<string[]> {
    const folder = path.join(this.#folder, bucket);
    const keys: string[] = [];
    for (const name of await readdir(folder)) {
      const file = await open(path.join(folder, name));
      try {
        const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(longestHead), length: longestHead });
        keys.push(decodeURIComponent(buffer.toString('utf8', 0, buffer.subarray(0, bytesRead).indexOf(10))));
      } finally {
        await file.close();
      }
    }
    return keys;
  }

  #file(bucket: string, key: string): string {
    return path.join(this.#folder, bucket, createHash('sha256').update(key).digest('hex'));
  }

  #unfinished(name: string): string {
    return path.join(this.#folder, '.unfinished', name);
  }
}
