import type { App } from 'aws-cdk-lib';
import type { StageConfig } from '../stages.ts';
import { acknowledgements } from './acknowledged.ts';
import { complaintsOf, judge } from './judge.ts';
import { ownFindingsOf } from './own-rules.ts';
import { findingsOf } from './packs.ts';
import { resourcesIn } from './rules/rule.ts';

/**
 * What the packs and our own rules have against the stacks of a stage, a line each: findings that are not acknowledged, and acknowledgements that nothing needs.
 *
 * @param templates - by name of their stack, such as `records`.
 */
export const complianceComplaints = (
  app: App,
  templates: Readonly<Record<string, unknown>>,
  stage: StageConfig,
): string[] =>
  complaintsOf(
    judge([...findingsOf(app, stage), ...ownFindingsOf(resourcesIn(templates), stage)], acknowledgements, stage),
  );
