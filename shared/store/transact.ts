import { randomUUID } from 'node:crypto';
import {
  type DeleteCommand,
  type DynamoDBDocumentClient,
  type PutCommand,
  TransactWriteCommand,
  type TransactWriteCommandInput,
  type UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import { backOff } from './back-off.ts';
import { failedConditions, failedRow, failureOf, mayRepeat } from './failure.ts';
import type { RecordRow } from './rows.ts';

export type Action = NonNullable<TransactWriteCommandInput['TransactItems']>[number];

/** Conditions that did not hold, each by the number of its action, with the row as it was; none if the rows were only busy. */
export type Refused = readonly (readonly [index: number, row: RecordRow | undefined])[];

/**
 * Sends one DynamoDB transaction. Nothing is told if it was written, else why not.
 *
 * One token goes with every sending of it, and DynamoDB carries out a token once: an answer that was lost is asked for again, and a
 * transaction that was written is never taken for one whose conditions fail because of what it wrote itself.
 *
 * @throws the error that left it without an answer, if none came for some 1.5 seconds: it may be written or not.
 */
export const tryTransaction = async (
  client: DynamoDBDocumentClient,
  actions: readonly Action[],
): Promise<Refused | undefined> => {
  const transaction = new TransactWriteCommand({ TransactItems: [...actions], ClientRequestToken: randomUUID() });
  let unanswered: Error | undefined;
  for (let attempt = 0; ; attempt++) {
    try {
      await client.send(transaction);
      return undefined;
    } catch (error) {
      if (failureOf(error) === 'condition') return failedConditions(error);
      const because = mayRepeat(error);
      // Cancelled, and not merely turned away: no earlier sending of it can have been carried out.
      if ((error as Error).name === 'TransactionCanceledException') return [];
      if (because !== 'busy') unanswered = because;
      else if (unanswered === undefined) return [];
      await backOff(attempt, unanswered);
    }
  }
};

/** A write of one row on a condition, which asks for the row if the condition fails (`ReturnValuesOnConditionCheckFailure`). */
export type ConditionalWrite = PutCommand | UpdateCommand | DeleteCommand;

/**
 * Sends one conditional write, again while the row is busy or no answer comes: an own earlier sending may be what its condition meets.
 *
 * @returns undefined if it was written, else the row on which the condition failed, if there is one.
 * @throws RecordError `throttled`; the error that left it without an answer.
 */
export const tryWrite = async (
  client: DynamoDBDocumentClient,
  write: ConditionalWrite,
): Promise<{ readonly row: RecordRow | undefined } | undefined> => {
  let unanswered: Error | undefined;
  for (let attempt = 0; ; attempt++) {
    try {
      await client.send(write as PutCommand);
      return undefined;
    } catch (error) {
      if (failureOf(error) === 'condition') return { row: failedRow(error) };
      const because = mayRepeat(error);
      if (because !== 'busy') unanswered = because;
      await backOff(attempt, unanswered ?? 'busy');
    }
  }
};
