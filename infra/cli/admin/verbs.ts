import { downtimePack } from '../downtime/verbs.ts';
import { exportAllVerb } from '../leave/verbs.ts';
import { restoreVerbs } from '../restore/verbs.ts';
import { breach } from './breach.ts';
import { redrive } from './redrive.ts';
import { snooping } from './snooping.ts';
import type { Verb } from './verb.ts';

/** All that can be asked of `npm run admin`, in the order in which the list has it. */
export const verbs: readonly Verb[] = [snooping, breach, redrive, ...restoreVerbs, downtimePack, exportAllVerb];
