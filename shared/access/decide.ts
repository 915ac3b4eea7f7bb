import type { Subject } from '../record-types/subjects.ts';
import type { Caller } from './caller.ts';
import { roleAllows } from './roles.ts';
import type { Action } from './scopes.ts';

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
}

/** A caller, and the chart of the patient in context if the caller is a patient. */
export interface Asking {
  readonly caller: Caller;
  readonly chart: string | undefined;
}

export type Decision =
  | { readonly permit: true }
  | { readonly permit: false; readonly reason: 'scope' | 'role' | 'custodian' | 'not-own-record' };

const permit: Decision = { permit: true };

/** Whether the caller's scopes and roles allow an action on any record of the type. A refusal here is a 403. Pure. */
export const decideType = ({ caller }: Asking, action: Action, type: TypeFacts): Decision => {
  const scoped = caller.scopes.some(
    (scope) =>
      (scope.level === 'patient') === caller.roles.includes('patient') &&
      (scope.type === '*' || scope.type === type.name) &&
      scope.actions.has(action),
  );
  if (!scoped) return { permit: false, reason: 'scope' };
  if (!caller.roles.some((role) => roleAllows(role, action, type.name, type.subject)))
    return { permit: false, reason: 'role' };
  return permit;
};

/**
 * The one decision about a record, for every door: read, version, history, search hit, reference, write, event. A refusal here
 * looks like a record that does not exist. Pure.
 */
export const decide = (asking: Asking, action: Action, type: TypeFacts, record: RecordFacts): Decision => {
  const general = decideType(asking, action, type);
  if (!general.permit) return general;
  if (type.directory && (action === 'r' || action === 's')) return permit;
  if (asking.caller.organization === undefined) {
    return record.chart === asking.chart ? permit : { permit: false, reason: 'not-own-record' };
  }
  return record.custodian === asking.caller.organization ? permit : { permit: false, reason: 'custodian' };
};
