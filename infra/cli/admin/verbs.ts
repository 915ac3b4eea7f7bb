import { downtimePack } from '../downtime/verbs.ts';
import { exportAllVerb } from '../leave/verbs.ts';
import { restoreVerbs } from '../restore/verbs.ts';
import { applicationAdd, applicationList, applicationRevoke, applicationRotate } from './application-verbs.ts';
import { breach } from './breach.ts';
import { canary } from './canary.ts';
import { organizationAdd } from './organization-add.ts';
import { partnerRevoke } from './partner-revoke.ts';
import { redrive } from './redrive.ts';
import { snooping } from './snooping.ts';
import { staffAdd } from './staff-add.ts';
import { staffDeprovision } from './staff-deprovision.ts';
import { staffList } from './staff-list.ts';
import type { Verb } from './verb.ts';

/** All that can be asked of `npm run admin`, in the order in which the list has it. */
export const verbs: readonly Verb[] = [
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
  snooping,
  breach,
  redrive,
  ...restoreVerbs,
  downtimePack,
  exportAllVerb,
];
