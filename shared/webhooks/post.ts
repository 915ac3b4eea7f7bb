import { type ClientRequest, Agent as HttpAgent, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { isIPv6, type LookupFunction } from 'node:net';
import { addressKind } from './addresses.ts';
import { type Endpoint, endpointOf } from './endpoint.ts';
import type { FurtherHosts } from './further-hosts.ts';
import { type LookUp, lookUpByDns } from './look-up.ts';
import { retryAfterMs } from './retry-after.ts';

/**
 * Why nothing came of a post. `endpoint`: its URL is not allowed (any more). `address`: its name has no address, or one that is not allowed.
 * `connection`: nobody listens, or somebody broke it off. `certificate`: TLS was refused. `time`: it took too long. `answer`: what came is no answer to
 * a request, or has too many headers.
 */
export type PostFailure = 'endpoint' | 'address' | 'connection' | 'certificate' | 'time' | 'answer';

export type PostOutcome =
  /** And how long the other side asks to be left alone, in milliseconds, if it does. */
  { readonly status: number; readonly retryAfterMs?: number } | { readonly failed: PostFailure };

export interface Post {
  /** Names in lower case; those of `customHeadersOf` and `signatureHeaders`. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** For all of it, the look-up included; 10 seconds if absent. */
  readonly timeoutMs?: number;
}

/** Posts to somebody else's endpoint. Never throws for what the other side does. */
export type PostTo = (url: string, post: Post) => Promise<PostOutcome>;

export interface PosterOptions {
  readonly furtherHosts: FurtherHosts;
  readonly lookUp?: LookUp;
  /** Certificates to believe instead of the usual ones, PEM. */
  readonly ca?: string;
  /** Time that a body may take once its status is here, in milliseconds; a second if absent. The status is what counts, whatever becomes of the body. */
  readonly bodyMs?: number;
}

const usualTimeoutMs = 10_000;
/** Bytes of the headers of an answer, and of its body until the rest is left. */
const [longestHeaders, longestBody] = [8_192, 65_536];
const usualBodyMs = 1_000;
/** Interim answers (1xx) before an answer. */
const mostInterim = 8;
/** Time for an address of several until the next one is tried, in milliseconds. */
const addressMs = 2_000;

/**
 * Makes what posts to endpoints that strangers name. It must not become their way into our network, nor hold us up:
 * the name is looked up once, all of its addresses are judged, and the connection is made to those alone, so a name that changes in between changes
 * nothing. Redirects are not followed, proxies of the environment not asked, answers neither inflated nor kept; one connection a post.
 */
export const posterTo =
  ({ furtherHosts, lookUp = lookUpByDns(), ca, bodyMs = usualBodyMs }: PosterOptions): PostTo =>
  async (text, { headers, body, timeoutMs = usualTimeoutMs }) => {
    const endpoint = endpointOf(text, furtherHosts);
    if ('refused' in endpoint) return { failed: 'endpoint' };
    const end = new AbortController();
    const timer = setTimeout(() => end.abort(), timeoutMs);
    try {
      const addresses = await Promise.race([addressesOf(endpoint, lookUp, end.signal), aborted(end.signal)]);
      if (addresses === 'time') return { failed: 'time' };
      if (addresses.length === 0) return { failed: 'address' };
      return await send(endpoint.url, addresses, { headers, body, end: end.signal, ca, bodyMs });
    } finally {
      clearTimeout(timer);
      end.abort();
    }
  };

const aborted = (signal: AbortSignal): Promise<'time'> =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve('time'), { once: true }));

/** None, where any one of them is not allowed: who owns a name may choose between them at any time. */
const addressesOf = async (endpoint: Endpoint, lookUp: LookUp, end: AbortSignal): Promise<readonly string[]> => {
  const { address, allows, url } = endpoint;
  const found =
    address !== undefined
      ? [address]
      : url.hostname === 'localhost'
        ? ['127.0.0.1', '::1']
        : await lookUp(url.hostname, end).catch(() => []);
  return found.every((each) => allows(addressKind(each))) ? found : [];
};

interface Sending {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly end: AbortSignal;
  readonly ca: string | undefined;
  readonly bodyMs: number;
}

const send = (
  url: URL,
  addresses: readonly string[],
  { headers, body, end, ca, bodyMs }: Sending,
): Promise<PostOutcome> =>
  new Promise((resolve) => {
    const secure = url.protocol === 'https:';
    const bytes = Buffer.from(body, 'utf8');
    const options = {
      method: 'POST',
      headers: {
        ...headers,
        host: url.host,
        'content-length': String(bytes.length),
        'accept-encoding': 'identity',
        'user-agent': 'Concord',
        connection: 'close',
      },
      lookup: only(addresses),
      autoSelectFamily: true,
      autoSelectFamilyAttemptTimeout: addressMs,
      maxHeaderSize: longestHeaders,
      insecureHTTPParser: false,
    };
    let request: ClientRequest;
    let secured = !secure;
    const finish = (outcome: PostOutcome) => {
      resolve(outcome); // the first counts
      request.destroy();
    };
    request = secure
      ? httpsRequest(url, {
          ...options,
          agent: new HttpsAgent({ keepAlive: false }),
          rejectUnauthorized: true, // whatever the environment says
          minVersion: 'TLSv1.2',
          ...(ca === undefined ? {} : { ca }),
        })
      : httpRequest(url, { ...options, agent: new HttpAgent({ keepAlive: false }) });
    let connected = false;
    let soFar: PostOutcome = { failed: 'time' };
    request.on('socket', (socket) => {
      socket.once('connect', () => {
        connected = true;
      });
      socket.once('secureConnect', () => {
        secured = true;
      });
    });
    let interim = 0;
    request.on('information', () => {
      interim += 1;
      if (interim > mostInterim) finish({ failed: 'answer' });
    });
    request.on('upgrade', (_, socket) => {
      socket.destroy();
      finish({ failed: 'answer' });
    });
    request.on('response', (answer) => {
      const { statusCode = 0, headers: said } = answer;
      if (statusCode < 200) return finish({ failed: 'answer' }); // a 101 that changes to nothing
      const asked = retryAfterMs(said['retry-after'], Date.now());
      soFar = { status: statusCode, ...(asked === undefined ? {} : { retryAfterMs: asked }) };
      const done = () => {
        clearTimeout(timer);
        finish(soFar);
      };
      const timer = setTimeout(done, bodyMs);
      let read = 0;
      answer.on('data', (chunk: Buffer) => {
        read += chunk.length;
        if (read > longestBody) done();
      });
      answer.once('close', done);
      answer.once('error', done);
    });
    request.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code?.startsWith('HPE_')) finish({ failed: 'answer' });
      else finish({ failed: connected && !secured ? 'certificate' : 'connection' });
    });
    end.addEventListener('abort', () => finish(soFar), { once: true });
    request.end(bytes);
  });

/** A look-up that knows these addresses alone, whatever it is asked for. */
const only =
  (addresses: readonly string[]): LookupFunction =>
  (_, { all }, callback) => {
    const found = addresses.map((address) => ({ address, family: isIPv6(address) ? 6 : 4 }));
    const [first] = found;
    if (all) callback(null, found);
    else callback(null, first?.address ?? '', first?.family ?? 4);
  };
