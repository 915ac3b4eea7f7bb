import type { StageConfig } from '../stages.ts';
import { inEitherRegion, type ToldFinding } from './acknowledgement.ts';
import { encryptedAtRest } from './rules/encrypted-at-rest.ts';
import { encryptedTransport } from './rules/encrypted-transport.ts';
import { guardedKeys } from './rules/guarded-keys.ts';
import { keptLogs } from './rules/kept-logs.ts';
import { nothingPublic } from './rules/nothing-public.ts';
import { outlivesStack } from './rules/outlives-stack.ts';
import { ownRoles } from './rules/own-roles.ts';
import { recoverableTable } from './rules/recoverable-table.ts';
import { nameOf, type OwnRule, type TemplateResource } from './rules/rule.ts';
import { scopedMethods } from './rules/scoped-methods.ts';

/** The rules that Concord adds to the packs. */
export const ownRules: readonly OwnRule[] = [
  encryptedAtRest,
  encryptedTransport,
  guardedKeys,
  keptLogs,
  nothingPublic,
  outlivesStack,
  ownRoles,
  recoverableTable,
  scopedMethods,
];

/** All that they find in the templates of a stage. A place is `<stack>/<name of the resource>`. */
export const ownFindingsOf = (resources: readonly TemplateResource[], stage: StageConfig): ToldFinding[] =>
  ownRules.flatMap(({ name, violations }) =>
    violations(resources, stage).map(({ resource, finding, says }) => ({
      rule: name,
      finding,
      place: inEitherRegion(`${resource.stack}/${nameOf(resource)}`),
      says,
    })),
  );
