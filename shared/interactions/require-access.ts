import { type Decision, decide, decideType, type TypeFacts } from '../access/decide.ts';
import type { Action } from '../access/scopes.ts';
import { RecordError } from '../errors.ts';
import type { StoredRecord } from '../store/rows.ts';
import type { RequestContext } from './context.ts';
import { factsOfRecord } from './security-context.ts';

/**
 * Refuses what the caller's scope or role forbids for the whole type.
 *
 * @throws RecordError `forbidden`, saying whether scope or role is in the way.
 */
export const requireTypeAccess = (
  { asking, recordType }: Pick<RequestContext, 'asking'> & { readonly recordType: TypeFacts },
  action: Action,
): void => {
  const decision = decideType(asking, action, recordType);
  if (!decision.permit) throw forbidden(decision.reason, recordType.name);
};

const forbidden = (reason: Exclude<Decision, { permit: true }>['reason'], type: string): RecordError =>
  new RecordError(
    'forbidden',
    reason === 'scope'
      ? `No scope of the access token covers this for ${type}`
      : `Your role does not allow this for ${type}`,
    { reason: `forbidden-${reason}` },
  );

/** Whether the caller may do this with this record. */
export const mayAccess = (
  { asking, store, recordType }: Pick<RequestContext, 'asking' | 'store'> & { readonly recordType: TypeFacts },
  action: Action,
  record: StoredRecord,
): boolean => decide(asking, action, recordType, factsOfRecord({ asking, store }, record)).permit;

/** What a record that does not exist answers, and one that the caller may not know of. */
export const notFound = ({ recordType }: Pick<RequestContext, 'recordType'>): RecordError =>
  new RecordError('not-found', `There is no such ${recordType.name}`);

/**
 * The record, if the caller may read it.
 *
 * @throws RecordError `not-found`, or `deleted` where the caller might have read it.
 */
export const requireReadable = (context: RequestContext, record: StoredRecord | undefined): StoredRecord => {
  if (!record || !mayAccess(context, 'r', record)) throw notFound(context);
  if (!record.resource) {
    throw new RecordError('deleted', `This ${context.recordType.name} was deleted`, {
      headers: { ETag: `W/"${record.version}"` },
    });
  }
  return record;
};
