import { applicationAdd, applicationList, applicationRevoke, applicationRotate } from './application-verbs.ts';
import { canary } from './canary.ts';
import { organizationAdd } from './organization-add.ts';
import { partnerRevoke } from './partner-revoke.ts';
import { staffAdd } from './staff-add.ts';
import { staffDeprovision } from './staff-deprovision.ts';
import { staffList } from './staff-list.ts';
import type { Verb } from './verb.ts';
import { verbs } from './verbs.ts';

/** What decides who may do something: organisations, people and applications. */
const peopleVerbs: readonly Verb[] = [
  organizationAdd,
  staffList,
  staffAdd,
  staffDeprovision,
  applicationList,
  applicationAdd,
  applicationRotate,
  applicationRevoke,
  partnerRevoke,
  canary,
];

/** All that can be asked of `npm run admin`, in the order in which the list has it. */
export const allVerbs: readonly Verb[] = [...peopleVerbs, ...verbs];
