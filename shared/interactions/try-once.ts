import type { TransactWriteCommandInput } from '@aws-sdk/lib-dynamodb';
import { tryTransaction } from '../store/transact.ts';
import type { Answer, RequestContext } from './context.ts';
import { overtaken } from './save.ts';

/**
 * Writes rows that are no records in one transaction, and with them the answer of a request that is carried out once.
 *
 * @returns nothing if they were written, else which conditions failed; none where the rows are busy.
 * @throws RecordError `conflict` where the same request was quicker; the error that left it open whether they were written.
 */
export const tryOnce = async (
  context: RequestContext,
  actions: NonNullable<TransactWriteCommandInput['TransactItems']>,
  answer: Answer,
): Promise<Awaited<ReturnType<typeof tryTransaction>>> => {
  const { store, once } = context;
  const Item = once?.rowFor([answer]);
  const ConditionExpression = 'attribute_not_exists(pk)';
  const refused = await tryTransaction(store.client, [
    ...actions,
    ...(Item ? [{ Put: { TableName: store.tableName, Item, ConditionExpression } }] : []),
  ]);
  if (once && !refused) once.kept = true;
  if (refused?.some(([index]) => index === actions.length)) throw overtaken();
  return refused;
};
