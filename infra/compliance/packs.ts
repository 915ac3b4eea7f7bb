import type { App } from 'aws-cdk-lib';
import { AwsSolutionsChecks, HIPAASecurityChecks, type IApplyRule, NagRuleCompliance } from 'cdk-nag';
import type { StageConfig } from '../stages.ts';
import { findingOf, placeOf, type ToldFinding } from './acknowledgement.ts';

type Found = (id: string, path: string, says: string) => void;

/** Tells of what a rule has found, whether it was acknowledged or not. A rule that cannot tell has found something. */
const tell = (found: Found, pack: string, applied: IApplyRule): void => {
  const { ruleSuffixOverride, node, info } = applied;
  const id = `${pack}-${ruleSuffixOverride ?? applied.rule.name}`;
  const { path } = node.node;
  try {
    const result = applied.rule(node);
    if (result === NagRuleCompliance.NON_COMPLIANT) found(id, path, info);
    if (Array.isArray(result)) for (const each of result) found(`${id}[${each}]`, path, info);
  } catch {
    found(id, path, info);
  }
};

class AwsSolutions extends AwsSolutionsChecks {
  readonly #found: Found;

  constructor(found: Found) {
    super();
    this.#found = found;
  }

  protected override applyRule(rule: IApplyRule): void {
    tell(this.#found, this.packName, rule);
  }
}

class HipaaSecurity extends HIPAASecurityChecks {
  readonly #found: Found;

  constructor(found: Found) {
    super();
    this.#found = found;
  }

  protected override applyRule(rule: IApplyRule): void {
    tell(this.#found, this.packName, rule);
  }
}

/** All that the packs find in the stacks of a stage. */
export const findingsOf = (app: App, stage: StageConfig): ToldFinding[] => {
  const findings: ToldFinding[] = [];
  const found: Found = (id, path, says) => findings.push({ ...findingOf(id, placeOf(path, stage), stage), says });
  for (const pack of [new AwsSolutions(found), new HipaaSecurity(found)]) pack.validateScope(app);
  return findings;
};
