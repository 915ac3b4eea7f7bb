import type { Action } from '../access/scopes.ts';
import { RecordError } from '../errors.ts';
import { isResourceType } from '../fhir/references.ts';
import type { Answer, Interaction, PlannedInteraction, RequestContext, Target } from '../interactions/context.ts';
import { createRecord } from '../interactions/create.ts';
import { readRecord } from '../interactions/read.ts';
import { searchRecords } from '../interactions/search/search.ts';
import { updateByCondition, updateRecord } from '../interactions/update.ts';
import { readVersion } from '../interactions/vread.ts';
import type { RecordType } from '../record-types/define-record-type.ts';
import type { KeptAnswer } from '../store/request-keys.ts';

/** Answers again what was carried out, to who may still do it, as far as the kept answer does not say it. */
export type Again = (context: RequestContext, target: Target, kept: KeptAnswer) => Promise<Answer>;

export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Segments behind the type: `{id}` and `{version}` stand for any one, `{type}` for a resource type. */
  readonly path: readonly string[];
  readonly interaction: Interaction;
  /** Of an operation that writes: what it would write, for a transaction to write it with the rest. */
  readonly plan?: PlannedInteraction;
  /** Whether it is an operation that books, by which some may do what they may not by writing the record (`byBooking` of the roles). */
  readonly books?: true;
  /**
   * Of an operation that writes: how a request is answered again that bears a key and was carried out. By the right that it needs, where the answer is a
   * record or nothing that changes.
   */
  readonly once?: Action | Again;
  /** FHIR's name of the interaction, for the log and the capability statement. */
  readonly name: string;
  /** Canonical address of an operation's definition; R4's own of the type if absent. */
  readonly definition?: string;
}

/** Stands for all types in `OwnRoutes`, where only whoever serves or describes all of them brings a route. */
export const ofEveryType = '*';

/** Routes that a type has and others have not, by its name. */
export type OwnRoutes = Readonly<Record<string, readonly Route[]>>;

const metaOperation = 'http://hl7.org/fhir/OperationDefinition/Resource-meta';

// What few requests ask for is compiled with the first that does (infra/lazy-code.ts).
const operations = () => import('../interactions/operations.lazy.ts');
const patching = () => import('../interactions/patch.lazy.ts');
const deleting = () => import('../interactions/delete.lazy.ts');

const planLabelsAdded: PlannedInteraction = async (...asked) => (await operations()).planLabelsAdded(...asked);
const planLabelsDeleted: PlannedInteraction = async (...asked) => (await operations()).planLabelsDeleted(...asked);
const changeLabels =
  (plan: PlannedInteraction): Interaction =>
  async (...asked) =>
    (await operations()).changeLabels(plan)(...asked);
const labelsOfRecord: Interaction = async (...asked) => (await operations()).labelsOfRecord(...asked);
const patchRecord: Interaction = async (...asked) => (await patching()).patchRecord(...asked);
const patchByCondition: Interaction = async (...asked) => (await patching()).patchByCondition(...asked);
const deleteRecord: Interaction = async (...asked) => (await deleting()).deleteRecord(...asked);
const deleteByCondition: Interaction = async (...asked) => (await deleting()).deleteByCondition(...asked);
const historyOfRecord: Interaction = async (...asked) =>
  (await import('../interactions/history.lazy.ts')).historyOfRecord(...asked);

const validateRecord: Interaction = async (...asked) => (await operations()).validateRecord(...asked);

const again: Again = async (...asked) => (await operations()).again(...asked);

const withholding = (name: '$withhold' | '$release'): Route => ({
  method: 'POST',
  path: ['{id}', name],
  interaction: async (...asked) => (await operations()).withholding[name](...asked),
  once: again,
  name: 'operation',
  definition: `https://concord.example/fhir/OperationDefinition/Resource-${name.slice(1)}`,
});

const validateOperation = {
  interaction: validateRecord,
  name: 'operation',
  definition: 'http://hl7.org/fhir/OperationDefinition/Resource-validate',
};

/** What can be asked of every record type that is not written by Concord alone. https://hl7.org/fhir/R4/http.html#summary */
const routesOfAll: readonly Route[] = [
  { method: 'GET', path: [], interaction: searchRecords, name: 'search-type' },
  { method: 'POST', path: ['_search'], interaction: searchRecords, name: 'search-type' },
  { method: 'POST', path: [], interaction: createRecord, name: 'create' },
  { method: 'GET', path: ['{id}'], interaction: readRecord, name: 'read' },
  { method: 'PUT', path: ['{id}'], interaction: updateRecord, name: 'update' },
  { method: 'PUT', path: [], interaction: updateByCondition, name: 'update' },
  { method: 'PATCH', path: ['{id}'], interaction: patchRecord, name: 'patch' },
  { method: 'PATCH', path: [], interaction: patchByCondition, name: 'patch' },
  { method: 'DELETE', path: ['{id}'], interaction: deleteRecord, name: 'delete' },
  { method: 'DELETE', path: [], interaction: deleteByCondition, name: 'delete' },
  { method: 'GET', path: ['{id}', '_history'], interaction: historyOfRecord, name: 'history-instance' },
  { method: 'GET', path: ['{id}', '_history', '{version}'], interaction: readVersion, name: 'vread' },
  ...(['GET', 'POST'] as const).flatMap((method): Route[] => [
    { method, path: ['{id}', '$meta'], interaction: labelsOfRecord, name: 'operation', definition: metaOperation },
    {
      method,
      path: ['{id}', '_history', '{version}', '$meta'],
      interaction: labelsOfRecord,
      name: 'operation',
      definition: metaOperation,
    },
  ]),
  {
    method: 'POST',
    path: ['{id}', '$meta-add'],
    interaction: changeLabels(planLabelsAdded),
    plan: planLabelsAdded,
    once: again,
    name: 'operation',
    definition: `${metaOperation}-add`,
  },
  {
    method: 'POST',
    path: ['{id}', '$meta-delete'],
    interaction: changeLabels(planLabelsDeleted),
    plan: planLabelsDeleted,
    once: again,
    name: 'operation',
    definition: `${metaOperation}-delete`,
  },
  withholding('$withhold'),
  withholding('$release'),
  { method: 'POST', path: ['$validate'], ...validateOperation },
  { method: 'GET', path: ['{id}', '$validate'], ...validateOperation },
  { method: 'POST', path: ['{id}', '$validate'], ...validateOperation },
];

/** The routes that a record type has: what is said of it comes before what is said of all. */
export const routesOf = (recordType: RecordType, ownRoutes: OwnRoutes): readonly Route[] => [
  ...(ownRoutes[recordType.name] ?? []),
  ...(recordType.readOnly ? [] : [...routesOfAll, ...(ownRoutes[ofEveryType] ?? [])]),
];

/**
 * Finds the route of a method and of the path segments behind the type.
 *
 * @throws RecordError `not-found` for a path that means nothing; `method-not-allowed`, with the methods that the path has. What is
 *   written by Concord alone is `forbidden` to every writer.
 */
export type Router = (
  recordType: RecordType,
  method: string,
  path: readonly string[],
) => { readonly route: Route; readonly target: Target };

/** @param ownRoutes - of the types that will be asked for. */
export const routerOf = (ownRoutes: OwnRoutes): Router => {
  const routes = new Map<RecordType, readonly Route[]>();
  return (recordType, method, path) => {
    const known = routes.get(recordType) ?? routesOf(recordType, ownRoutes);
    routes.set(recordType, known);
    const fitting = known.filter((route) => fits(route.path, path));
    const route = fitting.find((candidate) => candidate.method === method);
    if (recordType.readOnly && method !== 'GET' && route === undefined) {
      throw new RecordError('forbidden', `${recordType.name} is written by the server alone`, {
        reason: 'read-only-type',
      });
    }
    if (fitting.length === 0)
      throw new RecordError('not-found', 'Nothing is offered under this path', { reason: 'no-such-path' });
    if (!route) {
      const allowed = [
        ...new Set(fitting.flatMap((candidate) => (candidate.method === 'GET' ? ['GET', 'HEAD'] : [candidate.method]))),
      ];
      throw new RecordError('method-not-allowed', `${method} is not offered here`, {
        headers: { Allow: allowed.join(', ') },
      });
    }
    const at = (name: string) => path[route.path.indexOf(name)] ?? '';
    return { route, target: { id: at('{id}'), version: at('{version}'), type: at('{type}') } };
  };
};

/** Whether a segment of a path can be what the variable stands for. */
const stands = (variable: string, segment: string): boolean =>
  variable === '{type}' ? isResourceType(segment) : !/^[_$]/.test(segment);

const fits = (pattern: readonly string[], path: readonly string[]): boolean =>
  pattern.length === path.length &&
  pattern.every((segment, index) =>
    segment.startsWith('{') ? stands(segment, path[index] ?? '') : segment === path[index],
  );
