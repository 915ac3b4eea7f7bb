import type { Question, TypeQuestion, Verdict } from '../question.ts';
import { custodian } from './custodian.ts';
import { directory } from './directory.ts';
import { misfiled } from './misfiled.ts';
import { ownChart } from './own-chart.ts';
import { proxyOfRecord, proxyOfType } from './proxy.ts';
import { psychotherapyNote } from './psychotherapy-note.ts';
import { role } from './role.ts';
import { scopeOfRecord, scopeOfType } from './scope.ts';
import { securityContext } from './security-context.ts';
import { sharing } from './sharing.ts';
import { delegation, support } from './support.ts';
import { withheld } from './withheld.ts';

/** Rules by name, in the order in which they are asked: the first one that says something decides. */
export type Rules<Asked> = Readonly<
  Record<string, (question: Asked, decide: (question: Question) => Verdict) => Verdict>
>;

/** What decides about a whole type. A refusal here is told: 403. */
export const rulesOfType: Rules<TypeQuestion> = { scopeOfType, role, delegation, proxyOfType };

/** What decides about a record, once its type is no hindrance: ADD A RULE HERE. The last one always says something. */
export const rulesOfRecord: Rules<Question> = {
  misfiled,
  scopeOfRecord,
  proxyOfRecord,
  securityContext,
  directory,
  psychotherapyNote,
  support,
  withheld,
  ownChart,
  custodian,
  sharing,
};
