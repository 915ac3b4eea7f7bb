import type { Resource } from '../fhir/resource.ts';
import type { Subject } from '../record-types/subjects.ts';
import type { Seal } from '../store/seal.ts';
import type { Caller } from './caller.ts';
import type { Delegation } from './delegation.ts';
import type { Action } from './scopes.ts';

/** What a decision needs to know of a type. */
export interface TypeFacts {
  readonly name: string;
  readonly subject: Subject;
  /** Readable by everybody who is signed in, whoever keeps it. */
  readonly directory: boolean;
}

/** What a decision needs to know of a record. */
export interface RecordFacts extends Seal {
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
  /** Under which a member of support acts; only while it is in force. */
  readonly delegation?: Delegation | undefined;
}

/** By what right somebody sees what another organisation keeps. Stable: the access log tells it. */
export type Basis = 'consent' | 'relation' | 'break-glass';

/** By what right, if any, the caller sees a record that another organisation keeps. Pure. */
export type Sharing = (caller: Caller, type: TypeFacts, record: RecordFacts) => Basis | undefined;

/** Whether somebody may do something with any record of a type. */
export interface TypeQuestion {
  readonly asking: Asking;
  readonly action: Action;
  readonly type: TypeFacts;
}

/** Whether somebody may do something with a record. */
export interface Question extends TypeQuestion {
  readonly record: RecordFacts;
  /** Of the record's chart; nothing is shared where it is not given. */
  readonly sharing: Sharing | undefined;
}

/** Why not. Stable: refusals and explanations show it. */
export type Reason = 'scope' | 'role' | 'delegation' | 'custodian' | 'not-own-record' | 'originator';

/** What one rule says: that is the decision, or `undefined` to leave it to the next one. */
export type Verdict = 'permit' | Reason | undefined;
