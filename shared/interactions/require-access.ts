import { type Decision, decide, decideType } from '../access/decide.ts';
import type { TypeFacts } from '../access/question.ts';
import { isInScope } from '../access/rules/scope.ts';
import type { Action } from '../access/scopes.ts';
import { codeOf, type Told, toldOf } from '../access/told.ts';
import { denialOf } from '../access/withholding.ts';
import { RecordError } from '../errors.ts';
import type { Resource } from '../fhir/resource.ts';
import type { StoredRecord } from '../store/rows.ts';
import type { Addressed, RequestContext } from './context.ts';
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

const saying: Readonly<Record<Told, (type: string) => string>> = {
  scope: (type) => `No scope of the access token covers this for ${type}`,
  role: (type) => `Your role does not allow this for ${type}`,
  delegation: () => 'No organisation has delegated this to you for the present',
  custodian: () => 'You may see this record, but not change it',
  proxy: () => 'No right to do this for the patient is in force',
};

const forbidden = (reason: Exclude<Decision, { permit: true }>['reason'], type: string): RecordError => {
  const told = toldOf(reason);
  return new RecordError('forbidden', saying[told](type), { reason: codeOf(told) });
};

/** Who asks for records of which type. */
type AccessContext = Pick<RequestContext, 'asking' | 'store' | 'sharing'> &
  Addressed & {
    readonly recordType: TypeFacts;
  };

/** The decision about a record. What another organisation keeps is shared only if that was looked up. */
export const decisionOn = (context: AccessContext, action: Action, record: StoredRecord): Decision => {
  const { asking, recordType, sharing } = context;
  return decide(asking, action, recordType, factsOfRecord(context, record), sharing.of(record));
};

/** Whether the caller may do this with this record. */
export const mayAccess = (context: AccessContext, action: Action, record: StoredRecord): boolean =>
  decisionOn(context, action, record).permit;

/**
 * Requires that a scope covers what a record is to say.
 *
 * @throws RecordError `forbidden`.
 */
export const requireInScope = (
  { asking, recordType }: Pick<AccessContext, 'asking' | 'recordType'>,
  action: 'c' | 'u',
  resource: Resource,
): void => {
  if (!isInScope(asking.caller, action, recordType.name, resource)) throw forbidden('scope', recordType.name);
};

/**
 * The refusal of a write of a record: what is in the way, to who may read it; else that there is none.
 *
 * @param decision - about the write.
 */
export const refusedWrite = (
  context: AccessContext & Pick<RequestContext, 'recordType'>,
  record: StoredRecord | undefined,
  decision: Decision | undefined,
): RecordError =>
  record && decision && !decision.permit && mayAccess(context, 'r', record)
    ? forbidden(decision.reason, record.type)
    : unseen(context, record);

/** What a record that does not exist answers, and one that the caller may not know of. */
export const notFound = ({ recordType }: Pick<RequestContext, 'recordType'>): RecordError =>
  new RecordError('not-found', `There is no such ${recordType.name}`);

/**
 * The refusal of a record that the caller may not read: that there is none; of one that is withheld from the patient, the denial, since the law wants it
 * told (docs/access.md).
 */
export const unseen = (
  context: AccessContext & Pick<RequestContext, 'recordType'>,
  record: StoredRecord | undefined,
): RecordError => {
  const decision = record?.withheld && decisionOn(context, 'r', record);
  return record?.withheld && decision && !decision.permit && decision.reason === 'withheld'
    ? new RecordError('forbidden', denialOf(record.withheld), { reason: 'withheld' })
    : notFound(context);
};

/**
 * The record, if the caller may read it.
 *
 * @throws RecordError `not-found`, `forbidden` for one that is withheld, or `deleted` where the caller might have read it.
 */
export const requireReadable = (context: RequestContext, record: StoredRecord | undefined): StoredRecord => {
  if (!record || !mayAccess(context, 'r', record)) throw unseen(context, record);
  if (!record.resource) {
    throw new RecordError('deleted', `This ${context.recordType.name} was deleted`, {
      headers: { ETag: `W/"${record.version}"` },
    });
  }
  return record;
};
