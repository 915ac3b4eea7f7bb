import { RecordError } from '../../errors.ts';
import { keepingRow } from '../../store/keeping.ts';
import { keepingKey } from '../../store/keys.ts';
import type { Action } from '../../store/transact.ts';
import type { Answer, RequestContext, Target } from '../context.ts';
import { tryOnce } from '../try-once.ts';
import { keptPatient, requireReason } from './officer.ts';

/**
 * `POST Patient/{id}/$legal-hold`: nothing of the chart is purged before it is released, whatever its age.
 *
 * @throws RecordError `forbidden`, `not-found`; `conflict` where the chart is held already.
 */
export const holdChart = async (context: RequestContext, { id }: Target): Promise<Answer> => {
  const { reason } = requireReason(context, 'u');
  const { chart, custodian } = await keptPatient(context, id);
  const { store, now } = context;
  const Item = keepingRow(chart, { state: 'held', custodian, at: now });
  const put = { Put: { TableName: store.tableName, Item, ConditionExpression: 'attribute_not_exists(pk)' } };
  const step = { chart, id, name: '$legal-hold', reason };
  return written(context, step, put, answer(context, 'held'), 'The chart is held already');
};

/**
 * `POST Patient/{id}/$release-hold`: the chart may be purged once its time is over. That it was held stays in the log.
 *
 * @throws RecordError `forbidden`, `not-found`; `conflict` where the chart is not held.
 */
export const releaseChart = async (context: RequestContext, { id }: Target): Promise<Answer> => {
  const { reason } = requireReason(context, 'u');
  const { chart } = await keptPatient(context, id);
  const remove = {
    Delete: {
      TableName: context.store.tableName,
      Key: keepingKey(chart),
      ConditionExpression: '#state = :held',
      ExpressionAttributeNames: { '#state': 'state' },
      ExpressionAttributeValues: { ':held': 'held' },
    },
  };
  const step = { chart, id, name: '$release-hold', reason };
  return written(context, step, remove, answer(context, 'released'), 'The chart is not held');
};

interface Step {
  readonly chart: string;
  readonly id: string;
  readonly name: string;
  readonly reason: string;
}

/** With its entry of the log, in one transaction. */
const written = async (
  context: RequestContext,
  { chart, id, name, reason }: Step,
  change: Action,
  told: Answer,
  otherwise: string,
): Promise<Answer> => {
  const { audit, store } = context;
  const query = `Patient/${id}/${name}`;
  const Item = audit.row({ interaction: 'operation', chart, what: [`Patient/${id}`], query, records: { reason } });
  const put = { Put: { TableName: store.tableName, Item, ConditionExpression: 'attribute_not_exists(pk)' } };
  const refused = await tryOnce(context, [change, put], told);
  if (!refused) return told;
  if (refused.length > 0) throw new RecordError('conflict', otherwise, { reason: 'legal-hold' });
  throw new RecordError('throttled', 'The chart is busy; try again', { headers: { 'Retry-After': '1' } });
};

const answer = ({ now }: RequestContext, state: string): Answer => ({
  statusCode: 200,
  resource: {
    resourceType: 'Parameters',
    parameter: [
      { name: 'state', valueCode: state },
      { name: 'since', valueInstant: new Date(now).toISOString() },
    ],
  },
});
