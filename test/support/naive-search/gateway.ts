import { startConcord } from '../../../infra/local/concord.ts';
import { scratchFolder } from '../dynamodb.ts';
import type { Searcher, SearchServer } from './search-server.ts';

/** The whole of Concord behind its gateway, without any record. */
export const gatewayToSearch = async (): Promise<SearchServer & { readonly stop: () => Promise<void> }> => {
  const concord = await startConcord({ port: 0, dataDir: scratchFolder(), scratch: true, seed: false });
  const tokens = new Map<string, Promise<string>>();
  const tokenOf = ({ role, organization }: Searcher): Promise<string> => {
    const username = `${role}@${organization}.example`;
    const token = tokens.get(username) ?? concord.token(username);
    tokens.set(username, token);
    return token;
  };
  return {
    baseUrl: concord.url,
    now: Date.now,
    ask: async (as, method, path, body) => {
      const url = path.startsWith('http') ? path : `${concord.url}/${path}`.replace(/\/$/, '');
      const type = typeof body === 'string' ? 'application/x-www-form-urlencoded' : 'application/fhir+json';
      const answer = await fetch(url, {
        method,
        headers: {
          authorization: `Bearer ${await tokenOf(as)}`,
          prefer: 'handling=strict',
          ...(body === undefined ? {} : { 'content-type': type }),
        },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
      const text = await answer.text();
      return { status: answer.status, body: text === '' ? undefined : JSON.parse(text) };
    },
    stop: concord.stop,
  };
};
