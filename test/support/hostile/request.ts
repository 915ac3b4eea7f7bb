import { Agent, request as httpRequest } from 'node:http';

/** A request just before it is sent: every part as it stands on the wire, so that any of them may be broken. */
export interface WireRequest {
  readonly method: string;
  /** Behind the base, with its percent escapes; empty for the base itself. */
  readonly path: string;
  /** Names and values with their percent escapes. */
  readonly query: readonly (readonly [name: string, value: string])[];
  /** Whether the parameters are sent as a form instead. */
  readonly form: boolean;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON to be, or bytes as they are. */
  readonly body: unknown;
}

export interface WireAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly text: string;
}

const bodyOf = ({ form, query, body }: WireRequest): Buffer | undefined => {
  if (form) return Buffer.from(textOf(query));
  if (body === undefined) return undefined;
  return Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));
};

const textOf = (query: WireRequest['query']) =>
  query.map(([name, value]) => (value === '' && name === '' ? '' : `${name}=${value}`)).join('&');

/** The request line's target behind the base. */
export const targetOf = ({ path, query, form }: WireRequest): string =>
  `${path === '' ? '' : `/${path}`}${form || query.length === 0 ? '' : `?${textOf(query)}`}`;

/**
 * Sends requests as they are over connections that stay open. One that the server closed for idleness just as a request went out on it
 * says nothing of the request, which is sent again.
 */
export const wire = (baseUrl: string) => {
  const agent = new Agent({ keepAlive: true });
  const { hostname, port, pathname } = new URL(baseUrl);
  const send = (request: WireRequest): Promise<WireAnswer> =>
    new Promise((resolve, reject) => {
      const body = bodyOf(request);
      const sent = httpRequest(
        {
          agent,
          hostname,
          port,
          path: `${pathname}${targetOf(request)}`,
          method: request.method,
          headers: { ...request.headers, ...(body === undefined ? {} : { 'content-length': body.length }) },
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('error', reject);
          response.on('end', () =>
            resolve({
              status: response.statusCode ?? 0,
              headers: Object.fromEntries(
                Object.entries(response.headers).map(([name, value]) => [
                  name,
                  value === undefined ? value : String(value),
                ]),
              ),
              text: Buffer.concat(chunks).toString(),
            }),
          );
        },
      );
      sent
        .on('error', (error: NodeJS.ErrnoException) => {
          if (sent.reusedSocket && error.code === 'ECONNRESET') send(request).then(resolve, reject);
          else reject(error);
        })
        .end(body);
    });
  return { send, close: () => agent.destroy() };
};
