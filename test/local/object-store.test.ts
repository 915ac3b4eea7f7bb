import { createHash } from 'node:crypto';
import { existsSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import path from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { SignatureV4 } from '@smithy/signature-v4';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { dummyCredentials, useDummyCredentials } from '../../infra/local/dummy-credentials.ts';
import { scan } from '../../infra/local/malware-scanner.ts';
import { type LocalObjectStore, startObjectStore } from '../../infra/local/object-store.ts';
import { ContentObjects, verdictTag } from '../../shared/store/content-objects.ts';
import { lockedObjects } from '../../shared/store/locked-objects.ts';
import { type ObjectStore, s3ObjectStore } from '../../shared/store/object-store.ts';
import { scratchFolder } from '../support/dynamodb.ts';
import { sendRaw } from '../support/local-gateway.ts';

let folder: string;
let server: LocalObjectStore;
let objects: ObjectStore;

const { config } = DynamoDBDocumentClient.from(new DynamoDBClient({}));
const client = (bucket: string) =>
  s3ObjectStore({ config } as DynamoDBDocumentClient, { bucket, endpoint: server.endpoint });

beforeEach(async () => {
  useDummyCredentials();
  folder = scratchFolder();
  server = await startObjectStore(path.join(folder, 'objects'));
  server.createBucket('bodies');
  objects = client('bodies');
});
afterEach(async () => {
  vi.useRealTimers();
  await server.stop();
  rmSync(folder, { recursive: true });
});

const soon = () => Date.now() + 60_000;
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

interface Sent {
  readonly method?: string;
  readonly path?: string;
  readonly body?: string;
  /** Whether the length of the body is told; true if absent. */
  readonly length?: boolean;
  /** Of whoever signs, where that is not the stack's own user. */
  readonly signer?: { readonly accessKeyId?: string; readonly secretAccessKey?: string; readonly region?: string };
  readonly headers?: Readonly<Record<string, string>>;
  /** What happens to the signed headers on their way. */
  readonly tamper?: (headers: Record<string, string>) => void;
}

/** Sends a request that the AWS signer has signed, or what somebody made of it. */
const send = async ({
  method = 'PUT',
  path: target = '/bodies/a/1/b',
  body,
  length = true,
  signer = {},
  headers,
  tamper,
}: Sent) => {
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION } = dummyCredentials;
  const sign = new SignatureV4({
    credentials: {
      accessKeyId: signer.accessKeyId ?? AWS_ACCESS_KEY_ID,
      secretAccessKey: signer.secretAccessKey ?? AWS_SECRET_ACCESS_KEY,
    },
    region: signer.region ?? AWS_REGION,
    sha256: config.sha256,
    service: 's3',
    uriEscapePath: false,
  });
  const { host, hostname, port } = new URL(server.endpoint);
  const [pathname = '', query] = target.split('?');
  const text = method === 'PUT' ? (body ?? 'content') : undefined;
  const signed = await sign.sign({
    method,
    protocol: 'http:',
    hostname,
    port: Number(port),
    path: pathname,
    query: query === undefined ? {} : { [query]: '' },
    headers: { host, ...(text === undefined || !length ? {} : { 'content-length': String(text.length) }), ...headers },
    ...(text === undefined ? {} : { body: text }),
  });
  const sent: Record<string, string> = { ...signed.headers };
  tamper?.(sent);
  return sendRaw(`${server.endpoint}${target}`, Object.entries(sent).flat(), { method, body: text });
};

const codeIn = ({ body }: { body: string }) => /<Code>(\w+)<\/Code>/.exec(body)?.[1];

describe('the stand-in of S3', () => {
  it('gives back what was put, byte by byte, and keeps it over a restart', async () => {
    const bytes = Buffer.from(Array.from({ length: 70_000 }, (_, n) => n % 256));
    await objects.put('record_Basic/1/name', bytes, soon());
    await objects.put('record_Basic/2/empty', Buffer.of(), soon());
    await server.stop();

    server = await startObjectStore(path.join(folder, 'objects'));
    server.createBucket('bodies');

    expect(Buffer.from(await client('bodies').get('record_Basic/1/name')).equals(bytes)).toBe(true);
    expect(await client('bodies').get('record_Basic/2/empty')).toHaveLength(0);
    expect((await server.keys('bodies')).sort()).toEqual(['record_Basic/1/name', 'record_Basic/2/empty']);
  });

  it('removes an object, and one that is not there as well', async () => {
    await objects.put('a/1/b', Buffer.of(1), soon());

    await objects.delete('a/1/b');
    await objects.delete('a/1/b');

    await expect(objects.get('a/1/b')).rejects.toMatchObject({ name: 'ObjectStoreNoSuchKey' });
    expect(await server.keys('bodies')).toEqual([]);
  });

  describe('under Object Lock', () => {
    const md5 = (text: string) => createHash('md5').update(text).digest('base64');
    const put = (headers: Record<string, string>, body = 'content') =>
      send({ path: '/digests/a', body, headers: { 'if-none-match': '*', 'content-md5': md5(body), ...headers } });
    beforeEach(() => server.createBucket('digests', { locked: true }));

    it('keeps an object from being replaced and removed, however that is asked for', async () => {
      expect((await put({})).status).toBe(200);

      const again = [
        await put({}, 'other'),
        await send({ path: '/digests/a' }),
        await send({ method: 'DELETE', path: '/digests/a' }),
      ];

      expect(again.map(({ status }) => status)).toEqual([412, 403, 403]);
      expect(again.map(codeIn)).toEqual(['PreconditionFailed', 'AccessDenied', 'AccessDenied']);
      expect(Buffer.from(await client('digests').get('a')).toString()).toBe('content');
    });

    it('asks for a checksum, and that it holds', async () => {
      const without = await send({ path: '/digests/a', headers: { 'if-none-match': '*' } });
      const wrong = await put({ 'content-md5': md5('other') });

      expect([codeIn(without), codeIn(wrong)]).toEqual(['InvalidRequest', 'BadDigest']);
    });

    it('takes an object from one of two that put it at once', async () => {
      const digests = lockedObjects({ config } as DynamoDBDocumentClient, {
        bucket: 'digests',
        endpoint: server.endpoint,
      });

      const put = await Promise.all(['1', '2', '3'].map((text) => digests.putOnce('b', Buffer.from(text))));

      expect(put.toSorted()).toEqual([false, false, true]);
      expect(Buffer.from((await digests.get('b')) ?? []).toString()).toBe(String(put.indexOf(true) + 1));
      expect(await digests.get('c')).toBeUndefined();
    });
  });

  it('lists names that begin so, in the order of their bytes, page after page', async () => {
    server.createBucket('digests', { locked: true });
    const locked = lockedObjects({ config } as DynamoDBDocumentClient, {
      bucket: 'digests',
      endpoint: server.endpoint,
    });
    const names = Array.from({ length: 1_001 }, (_, index) => `held/${String(index).padStart(4, '0')}`);
    for (const name of names.slice(1)) // as they lie there: to put so many takes ten seconds
      writeFileSync(path.join(folder, 'objects', 'digests', sha256(name)), `${encodeURIComponent(name)}\t{}\n`);
    for (const name of ['held/0000', 'filed/0001', 'held']) await locked.putOnce(name, Buffer.from('x'));

    expect(await locked.names('held/', '')).toEqual(names);
    expect(await locked.names('held/', 'held/0998')).toEqual(['held/0999', 'held/1000']);
    expect(await locked.names('none/', '')).toEqual([]);
  });

  it('keeps buckets apart', async () => {
    server.createBucket('others');
    await objects.put('a/1/b', Buffer.of(1), soon());

    await expect(client('others').get('a/1/b')).rejects.toMatchObject({ name: 'ObjectStoreNoSuchKey' });
    await expect(client('nobodys').get('a/1/b')).rejects.toMatchObject({ name: 'ObjectStoreNoSuchBucket' });
  });

  it('takes what the AWS signer signs', async () => {
    expect(await send({})).toMatchObject({ status: 200 });
    expect(await send({ method: 'GET' })).toMatchObject({ status: 200, body: 'content' });
    expect(await send({ method: 'DELETE' })).toMatchObject({ status: 204 });
  });

  it.each<[string, number, string, Sent]>([
    ['an unknown bucket', 404, 'NoSuchBucket', { path: '/elsewhere/a' }],
    ['a missing object', 404, 'NoSuchKey', { method: 'GET', path: '/bodies/none' }],
    ['no signature', 403, 'AccessDenied', { tamper: (headers) => void delete headers.authorization }],
    [
      'a signature of another kind',
      403,
      'AccessDenied',
      { tamper: (headers) => void (headers.authorization = 'Basic bG9jYWw6bG9jYWw=') },
    ],
    ['another user', 403, 'InvalidAccessKeyId', { signer: { accessKeyId: 'AKIAOTHER' } }],
    ['a wrong secret', 403, 'SignatureDoesNotMatch', { signer: { secretAccessKey: 'guessed' } }],
    ['another region', 400, 'AuthorizationHeaderMalformed', { signer: { region: 'eu-central-1' } }],
    [
      'a changed header',
      403,
      'SignatureDoesNotMatch',
      {
        headers: { 'x-amz-storage-class': 'STANDARD' },
        tamper: (headers) => void (headers['x-amz-storage-class'] = 'GLACIER'),
      },
    ],
    [
      'a header that should be signed and is not',
      403,
      'AccessDenied',
      { tamper: (headers) => void (headers['x-amz-acl'] = 'public-read') },
    ],
    [
      'another body than the signed one',
      400,
      'XAmzContentSHA256Mismatch',
      { headers: { 'x-amz-content-sha256': sha256('other') } },
    ],
    [
      'a body whose hash was not signed',
      400,
      'XAmzContentSHA256Mismatch',
      { headers: { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' } },
    ],
    ['a key of more than 1,024 bytes', 400, 'KeyTooLongError', { path: `/bodies/${'k'.repeat(1_025)}` }],
    ['a key that is no text', 400, 'InvalidURI', { path: '/bodies/%E0%A4%A' }],
    ['a bucket instead of an object', 501, 'NotImplemented', { path: '/bodies/' }],
    ['a verb that is not served', 405, 'MethodNotAllowed', { method: 'POST' }],
    ['a query that is not served', 501, 'NotImplemented', { path: '/bodies/a?uploads' }],
  ])('refuses %s with %i %s', async (_what, status, code, sent) => {
    const answer = await send(sent);

    expect([answer.status, codeIn(answer)]).toEqual([status, code]);
    expect(await server.keys('bodies')).toEqual([]);
  });

  it('takes a key of 1,024 bytes', async () => {
    expect((await send({ path: `/bodies/${'k'.repeat(1_024)}` })).status).toBe(200);
  });

  it('refuses a body without its length', async () => {
    const answer = await send({ length: false });

    expect([answer.status, codeIn(answer)]).toEqual([411, 'MissingContentLength']);
  });

  it('refuses what was signed more than 15 minutes ago', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const stale = (minutes: number) => send({ tamper: () => vi.setSystemTime(Date.now() + minutes * 60_000) });

    expect((await stale(14)).status).toBe(200);
    expect(codeIn(await stale(16))).toBe('RequestTimeTooSkewed');
  });

  it.each(['../../secret', '..%2F..%2Fsecret', '%2e%2e/%2e%2e/secret', '/etc/passwd', 'a/../../../b', '.', '..'])(
    'lets the key %s lead nowhere but to an object',
    async (key) => {
      writeFileSync(path.join(folder, 'secret'), 'secret');
      const before = readdirSync(folder).sort();

      const put = await send({ path: `/bodies/${key}` });
      const got = await send({ method: 'GET', path: `/bodies/${key}` });

      expect(got.body).not.toBe('secret');
      // What is encoded otherwise than S3 does is not what was signed.
      expect([put.status, got.status]).toEqual(key.includes('%') ? [403, 403] : [200, 200]);
      if (put.status === 200) expect(got.body).toBe('content');
      expect(readdirSync(folder).sort()).toEqual(before);
      expect(readdirSync(path.join(folder, 'objects')).sort()).toEqual(['.unfinished', 'bodies']);
    },
  );

  it('forgets what a crash left half written, and never shows it', async () => {
    const half = path.join(folder, 'objects', '.unfinished', 'half');
    writeFileSync(half, 'half');
    expect(await server.keys('bodies')).toEqual([]);
    await server.stop();

    server = await startObjectStore(path.join(folder, 'objects'));

    expect(existsSync(half)).toBe(false);
  });

  it.each(['UPPER', 'a', '..', '.unfinished', 'a/b'])('makes no bucket of the name %s', (name) => {
    expect(() => server.createBucket(name)).toThrow('A bucket has');
  });

  describe('by a signed address', () => {
    const content = Buffer.from('what was announced');
    const announced = { contentType: 'text/plain', size: content.length, sha256: sha256(content.toString()) };
    const contents = (keyArn?: string) =>
      new ContentObjects({ config } as DynamoDBDocumentClient, { bucket: 'bodies', endpoint: server.endpoint }, keyArn);
    /** Sends exactly these headers. */
    const request = (method: string, url: string, headers: Readonly<Record<string, string>> = {}, body?: Buffer) =>
      sendRaw(url, Object.entries({ host: new URL(url).host, ...headers }).flat(), {
        method,
        body: body?.toString(),
      });
    const signed = (over: Partial<typeof announced> = {}, now = Date.now()) =>
      contents().signUpload('name', { ...announced, ...over }, 300, now);

    it('takes what was announced, once, and gives it as it was signed to be given', async () => {
      const { url, headers } = await signed();

      const first = await request('PUT', url, headers, content);
      const again = await request('PUT', url, headers, content);
      const address = await contents().signDownload('quarantine/name', 'text/plain', 60, Date.now());
      const got = await fetch(address);

      expect([first.status, again.status, codeIn(again)]).toEqual([200, 412, 'PreconditionFailed']);
      expect(Object.fromEntries(got.headers)).toMatchObject({
        'content-type': 'text/plain',
        'content-disposition': 'attachment',
        'cache-control': 'no-store',
        'content-length': String(content.length),
      });
      expect(await got.text()).toBe(content.toString());
      expect(await contents().arrived('name')).toEqual({ verdict: undefined });
      expect(await contents().measured('name')).toEqual({ size: announced.size, sha256: announced.sha256 });
    });

    it('takes the headers of encryption with a key, and no upload without them', async () => {
      const { url, headers } = await contents('arn:aws:kms:us-east-1:1:key/1').signUpload(
        'name',
        announced,
        300,
        Date.now(),
      );
      const { 'x-amz-server-side-encryption': _left, ...others } = headers;

      expect(headers).toMatchObject({
        'x-amz-server-side-encryption': 'aws:kms',
        'x-amz-server-side-encryption-aws-kms-key-id': 'arn:aws:kms:us-east-1:1:key/1',
      });
      expect(codeIn(await request('PUT', url, others, content))).toBe('SignatureDoesNotMatch');
      expect((await request('PUT', url, headers, content)).status).toBe(200);
    });

    type Tampered = readonly [
      what: string,
      status: number,
      code: string,
      send: () => Promise<{ status?: number | undefined; body: string }>,
    ];
    const upload = async (
      change: (sent: { url: string; headers: Record<string, string>; body: Buffer; method: string }) => void,
      now?: number,
    ) => {
      const { url, headers } = await signed({}, now);
      const sent = { url, headers: { ...headers }, body: content, method: 'PUT' };
      change(sent);
      return request(sent.method, sent.url, sent.headers, sent.body);
    };
    const minute = 60_000;
    it.each<Tampered>([
      ['an address whose time is over', 403, 'AccessDenied', () => upload(() => {}, Date.now() - 6 * minute)],
      ['an address for later', 403, 'AccessDenied', () => upload(() => {}, Date.now() + 16 * minute)],
      [
        'another body of the same length',
        400,
        'BadDigest',
        () => upload((sent) => (sent.body = Buffer.from('WHAT WAS ANNOUNCED'))),
      ],
      [
        'another checksum',
        403,
        'SignatureDoesNotMatch',
        () => upload(({ headers }) => (headers['x-amz-checksum-sha256'] = Buffer.alloc(32).toString('base64'))),
      ],
      [
        'no checksum',
        403,
        'SignatureDoesNotMatch',
        () => upload(({ headers }) => delete headers['x-amz-checksum-sha256']),
      ],
      [
        'another length',
        403,
        'SignatureDoesNotMatch',
        () =>
          upload((sent) => {
            sent.body = Buffer.from('more than what was announced');
            sent.headers['content-length'] = String(sent.body.length);
          }),
      ],
      [
        'another type',
        403,
        'SignatureDoesNotMatch',
        () => upload(({ headers }) => (headers['content-type'] = 'text/html')),
      ],
      [
        'a put that may replace',
        403,
        'SignatureDoesNotMatch',
        () => upload(({ headers }) => delete headers['if-none-match']),
      ],
      [
        'a header that was not signed',
        403,
        'AccessDenied',
        () => upload(({ headers }) => (headers['x-amz-acl'] = 'public-read')),
      ],
      [
        'tags of one’s own',
        403,
        'AccessDenied',
        () => upload(({ headers }) => (headers['x-amz-tagging'] = `${verdictTag}=NO_THREATS_FOUND`)),
      ],
      ['another method', 403, 'SignatureDoesNotMatch', () => upload((sent) => (sent.method = 'GET'))],
      [
        'another key',
        403,
        'SignatureDoesNotMatch',
        () => upload((sent) => (sent.url = sent.url.replace('quarantine/name', 'record_Binary/1/name'))),
      ],
      [
        'a longer life',
        403,
        'SignatureDoesNotMatch',
        () => upload((sent) => (sent.url = sent.url.replace('Expires=300', 'Expires=3000'))),
      ],
      [
        'a life of more than a week',
        400,
        'AuthorizationQueryParametersError',
        () => upload((sent) => (sent.url = sent.url.replace('Expires=300', 'Expires=604801'))),
      ],
      [
        'a signature of its own beside',
        400,
        'InvalidArgument',
        () => upload(({ headers }) => (headers['authorization'] = 'Bearer token')),
      ],
      [
        'another key of access',
        403,
        'InvalidAccessKeyId',
        () => upload((sent) => (sent.url = sent.url.replace(dummyCredentials.AWS_ACCESS_KEY_ID, 'AKIAOTHER'))),
      ],
    ])('refuses %s with %i %s', async (_what, status, code, sending) => {
      const answer = await sending();

      expect([answer.status, codeIn(answer)]).toEqual([status, code]);
      expect(await server.keys('bodies')).toEqual([]);
    });

    it('gives nothing as another type than the one that was signed, and nothing late', async () => {
      await objects.put('a', content, soon());
      const address = await contents().signDownload('a', 'application/pdf', 60, Date.now());
      const late = await contents().signDownload('a', 'application/pdf', 60, Date.now() - 2 * minute);

      const other = await fetch(address.replace('application%2Fpdf', 'text%2Fhtml'));
      const inline = await fetch(address.replace('=attachment', '=inline'));

      expect([other.status, inline.status, (await fetch(late)).status]).toEqual([403, 403, 403]);
      expect((await fetch(address)).status).toBe(200);
    });

    it('keeps nothing of an upload that breaks off', async () => {
      const { url, headers } = await signed();
      const { hostname, port, pathname, search } = new URL(url);
      const sending = httpRequest({ hostname, port, path: pathname + search, method: 'PUT', headers });
      sending.on('error', () => {}); // it is broken off here
      sending.write(content.subarray(0, 5));
      const unfinished = () => readdirSync(path.join(folder, 'objects', '.unfinished')).length;

      await expect.poll(unfinished).toBe(1);
      sending.destroy();

      await expect.poll(unfinished).toBe(0);
      expect(await server.keys('bodies')).toEqual([]);
      expect((await request('PUT', url, headers, content)).status).toBe(200);
    });

    it('lets pages of other servers put and get, and nothing else', async () => {
      const { url, headers } = await signed();
      const asking = (method: string) =>
        fetch(url, {
          method: 'OPTIONS',
          headers: {
            origin: 'https://app.test',
            'access-control-request-method': method,
            'access-control-request-headers': 'content-type,x-amz-checksum-sha256',
          },
        });

      const [may, mayNot] = [await asking('PUT'), await asking('DELETE')];
      const sent = await fetch(url, {
        method: 'PUT',
        headers: { ...headers, origin: 'https://app.test' },
        body: new Uint8Array(content),
      });

      expect([may.status, may.headers.get('access-control-allow-headers'), mayNot.status]).toEqual([
        200,
        'content-type,x-amz-checksum-sha256',
        403,
      ]);
      expect([sent.status, sent.headers.get('access-control-allow-origin')]).toEqual([200, '*']);
    });

    it('copies what has come, and nothing that has not or is other content', async () => {
      const { url, headers } = await signed();
      await request('PUT', url, headers, content);

      await contents().keep('name', 'kept', announced.sha256);

      expect(Buffer.from(await objects.get('kept')).equals(content)).toBe(true);
      await expect(contents().keep('none', 'kept', announced.sha256)).rejects.toMatchObject({
        name: 'ObjectStoreNoSuchKey',
      });
      await expect(contents().keep('name', 'kept', sha256('other'))).rejects.toMatchObject({
        name: 'ObjectStoreOtherContent',
      });
      expect(await contents().arrived('none')).toBeUndefined();
    });
  });

  describe('with a scanner', () => {
    const eicar = `X5O!P%@AP[4\\PZX54(P^)7CC)7}$${['EICAR-STANDARD', 'ANTIVIRUS-TEST-FILE'].join('-')}!$H+H*`;
    beforeEach(async () => {
      await server.stop();
      server = await withQuarantine();
    });
    const withQuarantine = async () => {
      const quarantine = { prefix: 'quarantine/', lifetimeMs: 60_000, tag: verdictTag, scan };
      server = await startObjectStore(path.join(folder, 'objects'), quarantine);
      server.createBucket('bodies');
      objects = client('bodies');
      return server;
    };

    it('removes what has been there for long as it starts, and nothing else', async () => {
      for (const key of ['quarantine/a', 'quarantine/b', 'kept']) await objects.put(key, Buffer.of(1), soon());
      const files = path.join(folder, 'objects', 'bodies');
      const old = new Date(Date.now() - 120_000);
      for (const key of ['quarantine/a', 'kept']) utimesSync(path.join(files, sha256(key)), old, old);

      await server.stop();
      server = await withQuarantine();

      await expect.poll(() => server.keys('bodies')).toHaveLength(2);
      expect((await server.keys('bodies')).toSorted()).toEqual(['kept', 'quarantine/b']);
    });

    it.each([
      ['NO_THREATS_FOUND', 'a letter'],
      ['THREATS_FOUND', eicar],
      ['THREATS_FOUND', `${'x'.repeat(65_530)}${eicar}`],
    ])('tells %s of what is put into quarantine', async (verdict, text) => {
      const contents = new ContentObjects({ config } as DynamoDBDocumentClient, {
        bucket: 'bodies',
        endpoint: server.endpoint,
      });
      await objects.put('quarantine/a', Buffer.from(text), soon());
      await objects.put('elsewhere/a', Buffer.from(text), soon());

      await expect.poll(async () => (await contents.arrived('a'))?.verdict).toBe(verdict);
      expect(existsSync(path.join(folder, 'objects', '.tags', 'bodies'))).toBe(true);
      expect(readdirSync(path.join(folder, 'objects', '.tags', 'bodies'))).toHaveLength(1);
    });
  });
});
