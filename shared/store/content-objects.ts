import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { SignatureV4 } from '@smithy/signature-v4';
import type { Uploaded } from '../content/uploaded.ts';
import type { IdCodec } from './ids.ts';
import type { Address } from './keys.ts';
import { objectKey } from './large-bodies.ts';
import { ObjectStoreError, type ObjectStoreOptions, s3Requests, urlOf } from './object-store.ts';

// Content that is too large for a request lies in the bucket as it is. Its sender puts it under a prefix of its own, by an address that is signed for that very content. There nobody reads it
// but a scanner, and it is removed after a day. What was found to be what it should be is copied to where it stays.

/** What is announced of content. */
export interface Announced extends Pick<Uploaded, 'size' | 'sha256'> {
  readonly contentType: string;
}

/** What is to be sent, and until when. */
export interface SignedUpload {
  readonly url: string;
  /** Headers to send as they are: they are signed. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Content that has come. */
export interface Arrived {
  /** What a scanner has found; undefined before it has. */
  readonly verdict: string | undefined;
}

/** Objects of a day's life begin with this: infra/stacks/records.ts, and the scanner's own settings. */
export const quarantinePrefix = 'quarantine/';
const quarantineKey = (name: string): string => `${quarantinePrefix}${name}`;

/** Tag of an object by which a scanner tells what it has found. https://docs.aws.amazon.com/guardduty/latest/ug/monitor-enable-s3-object-tagging-malware-protection.html */
export const verdictTag = 'GuardDutyMalwareScanStatus';

/** Where uploaded content of a Binary stays. */
export const contentKey = (ids: IdCodec, address: Address, { name }: Pick<Uploaded, 'name'>): string =>
  objectKey(ids, address, 1, name);

/** Copying takes S3 some seconds for 100 MB. API Gateway waits 29 seconds. */
const copyWithinMs = 12_000;

/** Uploads and downloads of a bucket, without the content passing through here. */
export class ContentObjects {
  readonly #client: DynamoDBDocumentClient;
  readonly #options: ObjectStoreOptions;
  readonly #ask: ReturnType<typeof s3Requests>;
  readonly #encryption: Readonly<Record<string, string>>;

  /** @param keyArn - of the key that encrypts what is uploaded; the bucket's own settings say so too. */
  constructor(client: DynamoDBDocumentClient, options: ObjectStoreOptions, keyArn?: string) {
    this.#client = client;
    this.#options = options;
    this.#ask = s3Requests(client, options);
    this.#encryption =
      keyArn === undefined
        ? {}
        : { 'x-amz-server-side-encryption': 'aws:kms', 'x-amz-server-side-encryption-aws-kms-key-id': keyArn };
  }

  /**
   * An address to which this content can be put, once, and no other.
   *
   * @param now - milliseconds since 1970.
   * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
   */
  async signUpload(
    name: string,
    { contentType, size, sha256 }: Announced,
    expiresInSeconds: number,
    now: number,
  ): Promise<SignedUpload> {
    const headers = {
      'content-type': contentType,
      'content-length': String(size),
      'if-none-match': '*',
      'x-amz-checksum-sha256': Buffer.from(sha256, 'hex').toString('base64'),
      ...this.#encryption,
    };
    const url = await this.#sign({ method: 'PUT', key: quarantineKey(name), headers, expiresInSeconds, now });
    return { url, headers };
  }

  /**
   * An address at which content can be had as an attachment of this type, whatever a browser makes of it.
   *
   * @param now - milliseconds since 1970.
   */
  signDownload(key: string, contentType: string, expiresInSeconds: number, now: number): Promise<string> {
    const query = {
      'response-cache-control': 'no-store',
      'response-content-disposition': 'attachment',
      'response-content-type': contentType,
    };
    return this.#sign({ method: 'GET', key, query, expiresInSeconds, now });
  }

  /**
   * What a scanner has told of content that has come; undefined for what has not. It is asked first: the bucket lets nobody look further at what was not scanned. Who may not list a bucket is told of a missing
   * object that it may not be read.
   */
  async arrived(name: string): Promise<Arrived | undefined> {
    try {
      const tags = await this.#ask({ method: 'GET', key: quarantineKey(name), query: { tagging: '' } });
      return { verdict: verdictIn(tags.toString()) };
    } catch (error) {
      if (error instanceof ObjectStoreError && /NoSuchKey|AccessDenied/.test(error.name)) return undefined;
      throw error;
    }
  }

  /** What has come. */
  async measured(name: string): Promise<Pick<Uploaded, 'size' | 'sha256'>> {
    const headers = { 'x-amz-object-attributes': 'Checksum,ObjectSize' };
    const key = quarantineKey(name);
    const told = (await this.#ask({ method: 'GET', key, query: { attributes: '' }, headers })).toString();
    return { size: Number(elementIn(told, 'ObjectSize')), sha256: hexIn(told) };
  }

  /**
   * Copies what has come to where it stays.
   *
   * @throws ObjectStoreError if it is not that content.
   */
  async keep(name: string, key: string, sha256: string): Promise<void> {
    const source = `${this.#options.bucket}/${quarantineKey(name)}`;
    const headers = {
      'x-amz-copy-source': source,
      'x-amz-checksum-algorithm': 'SHA256',
      'x-amz-tagging-directive': 'REPLACE', // its verdict has done its work
      ...this.#encryption,
    };
    // A copy that fails on its way is told of in an answer of status 200.
    const answer = (await this.#ask({ method: 'PUT', key, headers, timeoutMs: copyWithinMs })).toString();
    if (hexIn(answer) !== sha256) throw new ObjectStoreError(elementIn(answer, 'Code') ?? 'OtherContent');
  }

  async #sign({
    method,
    key,
    headers = {},
    query = {},
    expiresInSeconds,
    now,
  }: {
    readonly method: 'GET' | 'PUT';
    readonly key: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly query?: Readonly<Record<string, string>>;
    readonly expiresInSeconds: number;
    readonly now: number;
  }): Promise<string> {
    const { credentials, region, sha256 } = this.#client.config;
    const signer = new SignatureV4({ credentials, region, sha256, service: 's3', uriEscapePath: false });
    const url = urlOf(key, this.#options, await region());
    const signed = await signer.presign(
      {
        method,
        protocol: url.protocol,
        hostname: url.hostname,
        ...(url.port === '' ? {} : { port: Number(url.port) }),
        path: url.pathname,
        query: { ...query },
        // What is sent is known by its checksum.
        headers: { host: url.host, ...headers, 'X-Amz-Content-Sha256': 'UNSIGNED-PAYLOAD' },
      },
      {
        expiresIn: expiresInSeconds,
        signingDate: new Date(now),
        // Headers of the request, which whoever sends it cannot leave out.
        unhoistableHeaders: new Set(Object.keys(headers)),
      },
    );
    url.search = Object.entries(signed.query ?? {})
      .map(([name, value]) => `${escaped(name)}=${escaped(String(value))}`)
      .join('&');
    return url.href;
  }
}

/** As signatures write it. https://www.rfc-editor.org/rfc/rfc3986#section-2.3 */
const escaped = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`);

const elementIn = (xml: string, name: string): string | undefined =>
  new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1];

/** The checksum that S3 tells of, in hexadecimal digits. */
const hexIn = (xml: string): string => Buffer.from(elementIn(xml, 'ChecksumSHA256') ?? '', 'base64').toString('hex');

const verdictIn = (xml: string): string | undefined =>
  new RegExp(`<Key>${verdictTag}</Key>\\s*<Value>([^<]*)</Value>`).exec(xml)?.[1];
