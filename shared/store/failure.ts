import { unmarshall } from '@aws-sdk/util-dynamodb';
import type { RecordRow } from './rows.ts';

/** What a failed call to DynamoDB says about what became of it. */
export type Failure =
  /** A condition did not hold: nothing was written. */
  | 'condition'
  /** The table or the rows were busy: nothing was written, and the same call may succeed in a moment. */
  | 'busy'
  /** Nobody knows: the call may have been carried out, or still be. */
  | 'unanswered'
  /** The call itself is wrong or not allowed. */
  | 'fault';

interface CancellationReason {
  readonly Code?: string;
  readonly Item?: Record<string, unknown>;
}
type ServiceError = Error & {
  readonly CancellationReasons?: readonly CancellationReason[];
  readonly Item?: Record<string, unknown>;
  readonly $fault?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
  readonly code?: unknown;
};

// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html#API_TransactWriteItems_Errors
const busyErrors = new Set([
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'ThrottlingException',
  'TransactionConflictException',
]);
const busyReasons = new Set([
  'None',
  'ProvisionedThroughputExceeded',
  'RequestLimitExceeded',
  'ThrottlingError',
  'TransactionConflict',
]);

export const failureOf = (error: unknown): Failure => {
  if (!(error instanceof Error)) return 'fault';
  const { name, CancellationReasons = [], $fault, $metadata, code } = error as ServiceError;
  if (name === 'ConditionalCheckFailedException') return 'condition';
  if (busyErrors.has(name)) return 'busy';
  if (name === 'TransactionCanceledException') {
    const codes = CancellationReasons.map(({ Code = 'None' }) => Code);
    if (codes.some((reason) => reason !== 'ConditionalCheckFailed' && !busyReasons.has(reason))) return 'fault';
    return codes.includes('ConditionalCheckFailed') ? 'condition' : 'busy';
  }
  // The same request, sent before and given up by the client, is still at work.
  if (name === 'TransactionInProgressException') return 'unanswered';
  const failedThere = $fault === 'server' || ($metadata?.httpStatusCode ?? 0) >= 500;
  const brokeOff = name === 'TimeoutError' || (typeof code === 'string' && /^E[A-Z_]+$/.test(code)); // ECONNRESET, EPIPE …
  return failedThere || brokeOff ? 'unanswered' : 'fault';
};

/**
 * Why a call that failed may be sent once more, as `backOff` wants to know it.
 *
 * @throws the error itself if the call is at fault, or a condition of it did not hold.
 */
export const mayRepeat = (error: unknown): 'busy' | Error => {
  const failure = failureOf(error);
  if (failure === 'busy') return 'busy';
  if (failure === 'unanswered' && error instanceof Error) return error;
  throw error;
};

/** Which actions of a cancelled transaction had a condition that did not hold, each with its row as it was, if there was one. */
export const failedConditions = (error: unknown): [index: number, row: RecordRow | undefined][] =>
  ((error as ServiceError).CancellationReasons ?? []).flatMap(({ Code, Item }, index) =>
    Code === 'ConditionalCheckFailed' ? [[index, rowFrom(Item)] as [number, RecordRow | undefined]] : [],
  );

/** The row on which the condition of a single write failed. */
export const failedRow = (error: unknown): RecordRow | undefined => rowFrom((error as ServiceError).Item);

const rowFrom = (item: Record<string, unknown> | undefined): RecordRow | undefined =>
  item && (unmarshall(item as never) as RecordRow);
