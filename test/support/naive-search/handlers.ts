import { accessToken } from '../callers.ts';
import { base, type FhirServer, fhirServer } from '../fhir-server.ts';
import type { Searcher, SearchServer } from './search-server.ts';

/** The handlers on the embedded DynamoDB, called with gateway events. The clock stands still but for a tick with each write. */
export const handlersToSearch = async (start: number): Promise<SearchServer & { readonly handlers: FhirServer }> => {
  const handlers = await fhirServer();
  const tokens = new Map<string, Promise<string>>();
  const tokenOf = (as: Searcher): Promise<string> => {
    const name = `${as.role} ${as.organization} ${as.patient}`;
    const token = tokens.get(name) ?? accessToken(as);
    tokens.set(name, token);
    return token;
  };
  let time = start;
  return {
    handlers,
    baseUrl: base,
    now: () => time,
    ask: async (as: Searcher, method, path, body) => {
      if (method !== 'GET' && typeof body !== 'string') time += 1_000;
      handlers.setTime(time);
      const isForm = typeof body === 'string';
      const { status, body: answer } = await handlers.request(method, path, {
        token: await tokenOf(as),
        ...(body === undefined ? {} : { body }),
        headers: {
          prefer: 'handling=strict',
          ...(isForm ? { 'content-type': 'application/x-www-form-urlencoded' } : {}),
        },
      });
      return { status, body: answer };
    },
  };
};
