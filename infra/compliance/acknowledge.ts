import { type App, CfnResource, type IPolicyValidationPlugin, Validations } from 'aws-cdk-lib';
import { IAMNoManagedPolicies, IAMNoWildcardPermissions } from 'cdk-nag/lib/rules/iam/index.js';
import type { StageConfig } from '../stages.ts';
import { acknowledgements } from './acknowledged.ts';
import { type Acknowledgement, findingOf, isAbout, placeOf } from './acknowledgement.ts';

/** The rules that tell several findings of a resource apart. */
const rulesOfSeveral: Readonly<Record<string, typeof IAMNoManagedPolicies>> = {
  'AwsSolutions-IAM4': IAMNoManagedPolicies,
  'AwsSolutions-IAM5': IAMNoWildcardPermissions,
};

/**
 * Writes the acknowledgements of a stage to the constructs that they are about, where cdk-nag and CDK's own report look for them. Both want the very
 * id of a finding, which changes for references to other stacks once templates are made: so they are written now, and again then.
 */
export const acknowledgeFindings = (app: App, stage: StageConfig): void => {
  const inStage = acknowledgements.filter(({ when }) => when?.(stage) ?? true);
  const again: IPolicyValidationPlugin = {
    name: 'Acknowledgements',
    validate: () => {
      write(
        app,
        stage,
        inStage.filter(({ finding }) => finding?.includes('<')),
      );
      return { success: true, violations: [] };
    },
  };
  write(app, stage, inStage);
  Validations.of(app).addPlugins(again);
};

const write = (app: App, stage: StageConfig, acknowledged: readonly Acknowledgement[]): void => {
  for (const node of app.node.findAll()) {
    if (!CfnResource.isCfnResource(node)) continue;
    const place = placeOf(node.node.path, stage);
    for (const [id, reason] of idsAt(node, place, stage, acknowledged))
      Validations.of(node).acknowledge({ id, reason });
  }
};

const idsAt = (node: CfnResource, place: string, stage: StageConfig, acknowledged: readonly Acknowledgement[]) => {
  const ids = new Map<string, string>();
  for (const each of acknowledged) {
    const several = rulesOfSeveral[each.rule];
    const results = several === undefined ? undefined : several(node);
    const found =
      several === undefined ? [each.rule] : Array.isArray(results) ? results.map((of) => `${each.rule}[${of}]`) : [];
    for (const id of found)
      if (each.where.some((pattern) => isAbout(each, findingOf(id, place, stage), pattern))) ids.set(id, each.reason);
  }
  return ids;
};
