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

/** A caller, and the chart of the patient in context if the caller is a patient or acts for one. */
export interface Asking {
  readonly caller: Caller;
  readonly chart: string | undefined;
  /**
   * Charts that a merge has made one person's with that of a patient who asks for herself, as far as they were looked up (`SharedCharts`): nothing of
   * them is known before that. Not given for anybody else.
   */
  readonly merged?: ReadonlySet<string> | undefined;
  /** Under which a member of support acts; only while it is in force. */
  readonly delegation?: Delegation | undefined;
  /** Given where it is an operation that books by which something is done. */
  readonly booking?: true | undefined;
  /** What was looked up of somebody who asks for the patient in context and is somebody else; undefined for everybody else. */
  readonly proxy?: Proxy | undefined;
}

/** Whether a chart is the patient's who asks, or of whom it is asked: the one that the token names, or one that is merged with it. Pure. */
export const isOwnChart = ({ chart, merged }: Asking, asked: string): boolean =>
  asked === chart || merged?.has(asked) === true;

/** By what right somebody acts for a patient. Stable: grants and the access log tell it. */
export const legalBases = ['parent', 'guardian', 'attorney', 'executor'] as const;
export type LegalBasis = (typeof legalBases)[number];

/** Somebody who acts for a patient, as far as the law lets them now. */
export interface Proxy {
  /** Undefined if no right is in force: then nothing of the patient's is theirs to see or do. */
  readonly basis: LegalBasis | undefined;
  /** Whether they may also write what a patient may. */
  readonly mayAct: boolean;
  /** Whether anything of the chart may be kept from them. */
  readonly conceals: boolean;
  /** Whether a record of the chart is kept from them, for what it says, what it is labelled with, or what it refers to. Pure. */
  readonly hides: (type: string, record: RecordFacts) => boolean;
  /** Whether they may know nothing of what a name, `Type/id`, stands for: it is hidden, or there is none. Pure. */
  readonly hidesName: (name: string) => boolean;
  /** What they are shown of a record that they may see; all of it, if absent. Pure. */
  readonly shows?: (resource: Resource) => Resource;
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
export type Reason =
  | 'scope'
  | 'role'
  | 'delegation'
  | 'proxy'
  | 'custodian'
  | 'not-own-record'
  | 'originator'
  | 'withheld'
  | 'misfiled';

/** What one rule says: that is the decision, or `undefined` to leave it to the next one. */
export type Verdict = 'permit' | Reason | undefined;
