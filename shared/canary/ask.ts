export interface CanaryRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Behind the base of FHIR, such as `Patient?family=x`. */
  readonly path: string;
  readonly body?: object;
}

export interface CanaryAnswer {
  readonly status: number;
  /** Undefined where there is none, or where it is no JSON. */
  readonly body: unknown;
}

export type Ask = (request: CanaryRequest) => Promise<CanaryAnswer>;

/** Longest time for one answer, in milliseconds: the gateway gives up before. */
const answerWithinMs = 30_000;

/**
 * Sends requests as an application does.
 *
 * @param url - base of FHIR.
 * @param token - an access token, good for a minute at least.
 */
export const asApplication =
  (url: string, token: string): Ask =>
  async ({ method, path, body }) => {
    const response = await fetch(`${url}/${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        accept: 'application/fhir+json',
        'user-agent': 'concord-canary',
        ...(body === undefined ? {} : { 'content-type': 'application/fhir+json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(answerWithinMs),
    });
    const text = await response.text();
    return { status: response.status, body: parsed(text) };
  };

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
};
