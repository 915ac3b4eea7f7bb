import type { Resource } from '../fhir/resource.ts';
import type { Subject } from '../record-types/subjects.ts';
import type { Caller } from './caller.ts';
import { roleAllows } from './roles.ts';
import { type Action, isWithin, type Scope } from './scopes.ts';

/** What a decision needs to know of a type. */
export interface TypeFacts {
  readonly name: string;
  readonly subject: Subject;
  /** Readable by everybody who is signed in, whoever keeps it. */
  readonly directory: boolean;
}

/** What a decision needs to know of a record. */
export interface RecordFacts {
  readonly custodian: string;
  /** Home of the record; a patient's own records are those of the patient's chart. */
  readonly chart: string;
  readonly id: string;
  /** `system|code` of its security labels. */
  readonly labels: readonly string[];
  /** What it says, as far as scopes and Consents go by that; undefined once it is deleted. */
  readonly resource: Resource | undefined;
  /**
   * The type of another record whose rights it is under as well: whoever may not read that may do nothing with this. Where it is not understood which
   * record that is, nobody but the custodian's own systems may do anything with it.
   */
  readonly under?: TypeFacts | 'not-understood';
}

/** A caller, and the chart of the patient in context if the caller is a patient. */
export interface Asking {
  readonly caller: Caller;
  readonly chart: string | undefined;
}

/** Whether a patient's Consents let the caller's organisation see a record that another one keeps. Pure. */
export type Sharing = (caller: Caller, type: TypeFacts, record: RecordFacts) => boolean;

export type Decision =
  | { readonly permit: true }
  | { readonly permit: false; readonly reason: 'scope' | 'role' | 'custodian' | 'not-own-record' };

const permit: Decision = { permit: true };

/** Whether the caller's scopes and roles allow an action on any record of the type. A refusal here is a 403. Pure. */
export const decideType = ({ caller }: Asking, action: Action, type: TypeFacts): Decision => {
  if (!isScoped(caller, action, type.name)) return refused('scope');
  if (!caller.roles.some((role) => roleAllows(role, action, type.name, type.subject))) return refused('role');
  return permit;
};

const refused = (reason: Exclude<Decision, { permit: true }>['reason']): Decision => ({ permit: false, reason });

/** Scopes of the caller's token that cover an action on records of a type, or on some of them. */
const scopesFor = ({ scopes, roles }: Caller, action: Action, type: string): Scope[] =>
  scopes.filter(
    (scope) =>
      (scope.level === 'patient') === roles.includes('patient') &&
      (scope.type === '*' || scope.type === type) &&
      scope.actions.has(action),
  );

/** Whether a scope of the caller's token covers an action on records of a type, if only on some of them. */
export const isScoped = (caller: Caller, action: Action, type: string): boolean =>
  scopesFor(caller, action, type).length > 0;

/** Whether a scope of the caller's token covers an action on this record, or on what is to become one. */
export const isInScope = (caller: Caller, action: Action, type: string, resource: Resource | undefined): boolean =>
  scopesFor(caller, action, type).some((scope) => isWithin(scope, resource));

/** Whether what a record says decides if a caller's scopes cover an action on it. */
export const isNarrowed = (caller: Caller, action: Action, type: string): boolean =>
  scopesFor(caller, action, type).every(({ narrowed }) => narrowed.length > 0);

/**
 * The one decision about a record, for every door: read, version, history, search hit, reference, write, event. A refusal here
 * looks like a record that does not exist. Pure.
 *
 * @param sharing - of the record's chart; nothing is shared where it is not given.
 */
export const decide = (
  asking: Asking,
  action: Action,
  type: TypeFacts,
  record: RecordFacts,
  sharing?: Sharing,
): Decision => {
  const general = decideType(asking, action, type);
  if (!general.permit) return general;
  const { caller } = asking;
  const reads = action === 'r' || action === 's';
  if (!isInScope(caller, action, type.name, record.resource)) return refused('scope');
  const { under, ...own } = record;
  if (under === 'not-understood' && !caller.roles.includes('system')) return refused('role');
  // What that record says is not known here, so neither a narrowed scope nor a Consent covers it.
  if (typeof under === 'object') {
    const over = decide(asking, 'r', under, { ...own, resource: undefined });
    if (!over.permit) return over;
  }
  if (type.directory && reads) return permit;
  if (caller.organization === undefined) return record.chart === asking.chart ? permit : refused('not-own-record');
  if (record.custodian === caller.organization) return permit;
  return reads && sharing?.(caller, type, record) ? permit : refused('custodian');
};

/**
 * The decision about the labels of a record, its profiles and tags among them. Who may read or change the record may do the same with what it is labelled
 * with. Besides, privacy officers see and set the security labels of all records that their organisation keeps, and nothing else of these. Pure.
 */
export const decideLabels = (
  asking: Asking,
  action: 'r' | 'u',
  type: TypeFacts,
  record: RecordFacts,
  sharing?: Sharing,
): Decision => {
  const general = decide(asking, action, type, record, sharing);
  const { caller } = asking;
  if (general.permit || !caller.roles.includes('privacy')) return general;
  if (!isInScope(caller, action, type.name, record.resource)) return refused('scope');
  return record.custodian === caller.organization ? permit : refused('custodian');
};
