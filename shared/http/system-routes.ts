import { RecordError } from '../errors.ts';
import { capabilities } from '../interactions/capabilities.ts';
import type { Answer, RequestContext } from '../interactions/context.ts';
import { historyOfSystem } from '../interactions/history-across.ts';
import { searchRecords } from '../interactions/search/search.ts';
import { searchSystem } from '../interactions/search/system.ts';
import { toldChanges } from '../interactions/told-changes.ts';
import type { RecordType } from '../record-types/define-record-type.ts';
import type { OwnRoutes } from './routes.ts';

/** What can be asked of the whole system, of no type of record. */
export interface SystemRoute {
  readonly method: 'GET' | 'POST';
  /** Segments behind the base. */
  readonly path: readonly string[];
  readonly interaction: (context: Omit<RequestContext, 'recordType'>) => Promise<Answer>;
  /** FHIR's name of the interaction, for the log; of an operation its own. */
  readonly name: string;
}

/** A bundle is taken at the base itself (serve-system.ts); what comes here is an entry of one. */
const nested: SystemRoute['interaction'] = async () => {
  throw new RecordError('invalid', 'A bundle carries out no other bundle', { reason: 'not-supported' });
};

/**
 * What a request to the base and an entry of a bundle may ask of the system.
 *
 * @param ownRoutes - of the types, for the capability statement.
 */
export const systemRoutesOf = (recordTypes: readonly RecordType[], ownRoutes: OwnRoutes): readonly SystemRoute[] => {
  const typeNamed = (name: string) => recordTypes.find((type) => type.name === name);
  const routes: readonly SystemRoute[] = [
    { method: 'GET', path: [], interaction: searchSystem, name: 'search-system' },
    { method: 'POST', path: [], interaction: nested, name: 'bundle' },
    { method: 'POST', path: ['_search'], interaction: searchSystem, name: 'search-system' },
    { method: 'GET', path: ['_history'], interaction: historyOfSystem, name: 'history-system' },
    { method: 'GET', path: ['_changes'], interaction: toldChanges, name: 'history-system' },
    {
      method: 'POST',
      path: ['$explain-access'],
      interaction: async (context) =>
        (await import('../interactions/explain-access/explain-access.lazy.ts')).explainAccess(context, {
          typeNamed,
          search: searchRecords,
        }),
      name: '$explain-access',
    },
    {
      method: 'POST',
      path: ['$refile'],
      interaction: async (context) =>
        (await import('../interactions/refiling/refiling.lazy.ts')).refile(context, typeNamed),
      name: '$refile',
    },
    {
      method: 'POST',
      path: ['$sign-out'],
      interaction: async (context) => (await import('../interactions/sign-out.lazy.ts')).signOut(context),
      name: '$sign-out',
    },
    {
      method: 'GET',
      path: ['metadata'],
      interaction: ({ request }) =>
        capabilities({ recordTypes, ownRoutes, systemInteractions: routes.map(({ name }) => name) }, request),
      name: 'capabilities',
    },
  ];
  return routes;
};

/**
 * Finds the route of a method and a path.
 *
 * @returns undefined for a path that the system does not have.
 * @throws RecordError `method-not-allowed`, with the methods that the path has.
 */
export type SystemRouter = (method: string, path: readonly string[]) => SystemRoute | undefined;

export const systemRouterOf =
  (routes: readonly SystemRoute[]): SystemRouter =>
  (method, path) => {
    const fitting = routes.filter((route) => route.path.join('/') === path.join('/'));
    const route = fitting.find((candidate) => candidate.method === method);
    if (route || fitting.length === 0) return route;
    const allowed = fitting.flatMap((each) => (each.method === 'GET' ? ['GET', 'HEAD'] : [each.method]));
    throw new RecordError('method-not-allowed', 'The base takes bundles and searches', {
      headers: { Allow: allowed.join(', ') },
    });
  };
