import * as z from 'zod/mini';

/** A record as Concord shows it. */
export interface ReadRecord {
  readonly version: number;
  readonly resource: unknown;
}

/** Reads records of Concord in the name of the own organisation. */
export interface ConcordReader {
  /**
   * The current version of a record, such as `Observation/…`; undefined if it is gone or may not be read: the two cannot be told apart.
   *
   * @throws ConcordAway if Concord gives no answer that says either.
   */
  readonly read: (name: string) => Promise<ReadRecord | undefined>;
}

/** Says by which status, or by which kind of fault, and nothing of what was asked or answered. */
export class ConcordAway extends Error {
  constructor(reason: string | number) {
    super(`Concord gives no answer: ${reason}`);
    this.name = 'ConcordAway';
  }
}

interface Sent {
  readonly method?: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface ReaderOptions {
  /** Such as `https://concord.example/fhir`. */
  readonly baseUrl: string;
  /** Where client credentials are exchanged for an access token. */
  readonly tokenUrl: string;
  readonly credentials: () => Promise<{ readonly clientId: string; readonly clientSecret: string }>;
  /** The platform's own, unless another is given. */
  readonly fetch?: (url: string, init: Sent & { redirect: 'error'; signal: AbortSignal }) => Promise<Response>;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/** Time for one call, in milliseconds. */
const patience = 10_000;
/** A token is not used in the last minute of its life. */
const sparedMs = 60_000;

const tokenAnswer = z.object({
  access_token: z.string().check(z.minLength(1)),
  expires_in: z.int().check(z.positive()),
});
const recordAnswer = z.looseObject({
  resourceType: z.string(),
  id: z.string(),
  meta: z.looseObject({ versionId: z.string().check(z.regex(/^\d+$/)) }),
});

/**
 * A reader that signs in as a system: by client credentials, once for the life of a token. One call reads one record.
 * https://hl7.org/fhir/smart-app-launch/STU2.1/backend-services.html
 */
export const concordReader = (options: ReaderOptions): ConcordReader => {
  const { baseUrl, tokenUrl, credentials, fetch: send = fetch, now = Date.now } = options;
  let token: { readonly text: string; readonly until: number } | undefined;

  const call = async (url: string, init: Sent): Promise<Response> => {
    try {
      return await send(url, { ...init, redirect: 'error', signal: AbortSignal.timeout(patience) });
    } catch (fault) {
      throw new ConcordAway(fault instanceof Error ? fault.name : 'fault');
    }
  };

  const accessToken = async (): Promise<string> => {
    if (token && token.until > now()) return token.text;
    const { clientId, clientSecret } = await credentials();
    const response = await call(tokenUrl, {
      method: 'POST',
      headers: {
        authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`,
        'content-type': 'application/x-www-form-urlencoded',
      },
      body: new URLSearchParams({ grant_type: 'client_credentials', scope: 'system/*.cruds' }).toString(),
    });
    if (!response.ok) throw new ConcordAway(response.status);
    const { access_token, expires_in } = tokenAnswer.parse(await response.json());
    token = { text: access_token, until: now() + expires_in * 1_000 - sparedMs };
    return access_token;
  };

  const get = async (name: string): Promise<Response> =>
    call(`${baseUrl}/${name}`, {
      headers: { authorization: `Bearer ${await accessToken()}`, accept: 'application/fhir+json' },
    });

  return {
    read: async (name) => {
      let response = await get(name);
      if (response.status === 401) {
        token = undefined; // ended before its time
        response = await get(name);
      }
      if (response.status === 404 || response.status === 410) return undefined;
      if (!response.ok) throw new ConcordAway(response.status);
      const resource = recordAnswer.parse(await response.json());
      if (`${resource.resourceType}/${resource.id}` !== name) throw new ConcordAway('another record');
      return { version: Number(resource.meta.versionId), resource };
    },
  };
};
