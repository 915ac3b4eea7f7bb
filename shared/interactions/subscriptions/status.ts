import { randomUUID } from 'node:crypto';
import { RecordError } from '../../errors.ts';
import { type SubscriptionProblem, statusParameters } from '../../notifications/notification-bundle.ts';
import { type StoredSubscription, subscriptionsOf } from '../../store/subscriptions/read-subscriptions.ts';
import type { Interaction, RequestContext } from '../context.ts';
import { readInput } from '../operation-input.ts';
import { searchRecords } from '../search/search.ts';
import { statusInput } from './input.ts';
import { lookAtSubscription } from './look.ts';

/**
 * `GET Subscription/{id}/$status`: how a Subscription stands, how many events it has had, and what went wrong with the last attempt.
 * https://hl7.org/fhir/uv/subscriptions-backport/STU1.1/OperationDefinition-backport-subscription-status.html
 */
export const status: Interaction = async (context, { id }) => {
  readInput(context, statusInput); // ignored here, as the guide has it, but for what is no parameter of it
  const { subscription, stored } = await lookAtSubscription(context, id, '$status', 'r');
  return { statusCode: 200, resource: searchset([told(context, id, subscription, stored)]) };
};

/** Subscriptions that are told of at once. */
const most = 1_000;

/**
 * `GET Subscription/$status?id=&status=`: the same of each Subscription that a search for them finds, traced like that; one Query besides.
 *
 * @throws RecordError `too-costly` if there are more than can be told of at once.
 */
export const statusOfAll: Interaction = async (context, target) => {
  const input = readInput(context, statusInput);
  const listed = (name: string, values: readonly string[]): [string, string][] =>
    values.length === 0 ? [] : [[name, values.join(',')]];
  const query = [...listed('_id', input.id), ...listed('status', input.status), ['_count', String(most)] as const];
  const request = { ...context.request, method: 'GET', body: undefined, query };
  const { resource } = await searchRecords({ ...context, request }, target);
  const { entry = [], link = [] } = resource as fhir4.Bundle;
  if (link.some(({ relation }) => relation === 'next'))
    throw new RecordError('too-costly', `The status of ${most} Subscriptions is told at once; name some by id`, {
      expression: 'id',
    });
  const { organization } = context.asking.caller;
  const found = entry.flatMap(({ resource: each }) =>
    each?.resourceType === 'Subscription' ? [each as fhir4.Subscription] : [],
  );
  const stored = new Map(
    organization === undefined || found.length === 0
      ? []
      : (await subscriptionsOf(context.store, organization)).map((each) => [each.id, each]),
  );
  return {
    statusCode: 200,
    resource: searchset(found.map((each) => told(context, each.id ?? '', each, stored.get(each.id ?? '')))),
  };
};

const searchset = (all: readonly fhir4.Parameters[]): fhir4.Bundle => ({
  resourceType: 'Bundle',
  type: 'searchset',
  total: all.length,
  ...(all.length === 0
    ? {}
    : {
        entry: all.map((resource) => ({
          fullUrl: `urn:uuid:${resource.id}`,
          resource,
          search: { mode: 'match' as const },
        })),
      }),
});

const told = (
  context: Pick<RequestContext, 'request'>,
  id: string,
  subscription: fhir4.Subscription,
  stored: StoredSubscription | undefined,
): fhir4.Parameters =>
  statusParameters(
    { id, ...about(context, stored) },
    { ...standing(subscription, stored), type: 'query-status' },
    randomUUID(),
  );

/** By which address and topic a Subscription is told of: to who asks, by the address that is asked. */
export const about = ({ request }: Pick<RequestContext, 'request'>, stored: StoredSubscription | undefined) => {
  const { topic, content = 'id-only' } = stored?.settings ?? {};
  return { baseUrl: request.baseUrl, content, ...(topic === undefined ? {} : { topic }) };
};

/** How a Subscription stands. */
export const standing = ({ status: said }: fhir4.Subscription, stored: StoredSubscription | undefined) => {
  const { events = 0, problem } = stored?.state ?? {};
  return { status: said, events, problem: problem as SubscriptionProblem | undefined } as const;
};
