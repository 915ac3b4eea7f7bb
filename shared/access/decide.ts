import type { Asking, Question, Reason, RecordFacts, Sharing, TypeFacts, Verdict } from './question.ts';
import { type Rules, rulesOfRecord, rulesOfType } from './rules/index.ts';
import { isInScope } from './rules/scope.ts';
import type { Action } from './scopes.ts';

export type Decision = { readonly permit: true } | { readonly permit: false; readonly reason: Reason };

/** Is told what each rule said that was asked. */
export type Listener = (rule: string, verdict: Verdict) => void;

/** Whether the caller's scopes and roles allow an action on any record of the type. A refusal here is a 403. Pure. */
export const decideType = (asking: Asking, action: Action, type: TypeFacts): Decision =>
  decisionOf(firstOf(rulesOfType, { asking, action, type }) ?? 'permit');

/**
 * The one decision about a record, for every door: read, version, history, search hit, reference, write, event. A refusal here
 * looks like a record that does not exist. Pure.
 *
 * @param sharing - of the record's chart; nothing is shared where it is not given.
 * @param heard - is told how it comes to that, rule by rule.
 */
export const decide = (
  asking: Asking,
  action: Action,
  type: TypeFacts,
  record: RecordFacts,
  sharing?: Sharing,
  heard?: Listener,
): Decision => decisionOf(verdictOn({ asking, action, type, record, sharing }, heard));

const verdictOn = (question: Question, heard?: Listener): Verdict =>
  firstOf(rulesOfType, question, heard) ?? firstOf(rulesOfRecord, question, heard);

const firstOf = <Asked>(rules: Rules<Asked>, question: Asked, heard?: Listener): Verdict => {
  for (const name in rules) {
    const verdict = rules[name]?.(question, verdictOn);
    heard?.(name, verdict);
    if (verdict) return verdict;
  }
  return undefined;
};

const permit: Decision = { permit: true };

/** What no rule spoke of is refused. */
const decisionOf = (verdict: Verdict): Decision =>
  verdict === 'permit' ? permit : { permit: false, reason: verdict ?? 'custodian' };

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
  if (general.permit || record.misfiled || !caller.roles.includes('privacy')) return general;
  if (!isInScope(caller, action, type.name, record.resource)) return decisionOf('scope');
  return decisionOf(record.custodian === caller.organization ? 'permit' : 'custodian');
};
