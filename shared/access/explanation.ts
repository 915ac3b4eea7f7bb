import { type Decision, decide, decideType } from './decide.ts';
import type { Asking, Basis, RecordFacts, Sharing, TypeFacts, Verdict } from './question.ts';
import { type Action, reads } from './scopes.ts';
import { codeOf, toldOf } from './told.ts';

/** What one rule said on the way to a decision. */
export interface Step {
  /** Its name. Stable. */
  readonly rule: string;
  readonly verdict: Verdict;
  readonly sentence: string;
}

/** A decision, and how it came about. */
export interface Explanation {
  readonly decision: Decision;
  /** The code of what the caller is answered (docs/access.md, "What a refusal looks like"). */
  readonly answer: string;
  /** By which right it is shared, if it is. */
  readonly basis: Basis | undefined;
  /** The rules that were asked, in their order; the last one decided. */
  readonly path: readonly Step[];
}

/** What a rule means where it leaves the decision to the next one, where it permits and where it refuses. */
interface Words {
  readonly passes?: string;
  readonly permits?: string;
  readonly refuses?: string;
}

/** By name of the rule (shared/access/rules/). They tell nothing of what a record says. */
export const ruleWords: Readonly<Record<string, Words>> = {
  scopeOfType: {
    passes: 'A scope of the token covers this action on the type.',
    refuses: 'No scope of the token covers this action on the type.',
  },
  role: {
    passes: 'A role of the caller allows this action on the type.',
    refuses: 'No role of the caller allows this action on the type.',
  },
  delegation: {
    passes: 'The caller is no member of support, acts under a delegation, or asks for no record of a patient.',
    refuses: 'Support sees records of patients only while an administrator has delegated that.',
  },
  proxyOfType: {
    passes: 'The caller acts for nobody else, or by a right that is in force.',
    refuses: 'No right is in force by which the caller may do this for the patient.',
  },
  misfiled: {
    passes: 'The record was in no wrong chart.',
    refuses: 'The record was in the wrong chart, and is sealed there.',
  },
  proxyOfRecord: {
    passes: 'Nothing in the record is kept from who acts for the patient.',
    refuses: 'The record is kept from who acts for the patient.',
  },
  scopeOfRecord: {
    passes: 'A scope of the token covers the record.',
    refuses: 'The scopes of the token are narrowed, and none covers the record.',
  },
  securityContext: {
    passes: 'The record is under the rights of no other record that would refuse it.',
    refuses: 'The record is under the rights of another record, which the caller may not read.',
  },
  directory: {
    passes: 'This is not reading in the directory, which is open to all.',
    permits: 'The directory is open to all who are signed in.',
  },
  psychotherapyNote: {
    passes: 'The record is no psychotherapy note of somebody else.',
    refuses: 'Psychotherapy notes are for whoever wrote them.',
  },
  support: {
    passes: 'The caller is no member of support, or asks for no record of a patient.',
    permits: "The record is among what support needs of the organisation's own records.",
    refuses:
      'The record is not among what support needs: administrative messages, bookings and own tasks of its organisation.',
  },
  withheld: {
    passes: 'The caller is staff, or the record is not withheld from the caller.',
    refuses:
      'A licensed professional has determined to withhold the record from the patient, or from who acts for the patient.',
  },
  ownChart: {
    passes: 'The caller is staff, and asks for no chart of the own.',
    permits: "The record is in the caller's own chart.",
    refuses: "The record is not in the caller's own chart.",
  },
  custodian: {
    passes: "Another organisation than the caller's keeps the record.",
    permits: "The caller's organisation keeps the record.",
  },
  sharing: {
    permits: "The record is shared with the caller's organisation.",
    refuses: "Nothing shares the record with the caller's organisation for this action.",
  },
};

const otherwise: Required<Words> = {
  passes: 'The rule leaves it to the next one.',
  permits: 'The rule permits it.',
  refuses: 'The rule refuses it.',
};

const sentenceFor = (rule: string, verdict: Verdict): string => {
  const kind = verdict === undefined ? 'passes' : verdict === 'permit' ? 'permits' : 'refuses';
  return ruleWords[rule]?.[kind] ?? otherwise[kind];
};

/**
 * The decision about a record, with the path through the rules: the very decision that a request meets, listened to. Pure.
 *
 * @param sharing - of the record's chart; nothing is shared where it is not given.
 */
export const explain = (
  asking: Asking,
  action: Action,
  type: TypeFacts,
  record: RecordFacts,
  sharing?: Sharing,
): Explanation => {
  const path: Step[] = [];
  let basis: Basis | undefined;
  const told: Sharing | undefined =
    sharing &&
    ((...asked) => {
      basis = sharing(...asked);
      return basis;
    });
  const decision = decide(asking, action, type, record, told, (rule, verdict) => {
    path.push({ rule, verdict, sentence: sentenceFor(rule, verdict) });
  });
  const mayRead = () => decide(asking, 'r', type, record, sharing).permit;
  return {
    decision,
    answer: answerTo(decision, decideType(asking, action, type), () => !reads(action) && mayRead()),
    basis: decision.permit && path.at(-1)?.rule === 'sharing' ? basis : undefined,
    path,
  };
};

/** A refusal is told where it is about the whole type, or about the writing of what may be read. What is withheld is told of. Else there is no such record. */
const answerTo = (decision: Decision, ofType: Decision, mayRead: () => boolean): string => {
  if (decision.permit) return 'permit';
  if (!ofType.permit) return codeOf(toldOf(ofType.reason));
  if (decision.reason === 'withheld') return 'withheld';
  return mayRead() ? codeOf(toldOf(decision.reason)) : 'not-found';
};
