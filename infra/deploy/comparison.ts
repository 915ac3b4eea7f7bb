import { formatDifferences, formatSecurityChanges, fullDiff, type TemplateDiff } from '@aws-cdk/cloudformation-diff';
import { type ClientOf, type DeployedStack, deployedStack } from './account.ts';
import type { SynthesisedStack } from './assembly.ts';
import { type Loss, lossesOf } from './losses.ts';

/** A stack as it would be beside the stack as it is. */
export interface Comparison {
  readonly name: string;
  /** Undefined for a stack that is new. */
  readonly deployed: DeployedStack | undefined;
  readonly difference: TemplateDiff;
  readonly losses: readonly Loss[];
}

/** Compares stacks with what is deployed of them. Changes nothing. */
export const compare = async (clientOf: ClientOf, stacks: readonly SynthesisedStack[]): Promise<Comparison[]> => {
  const comparisons: Comparison[] = [];
  for (const { name, template, region } of stacks) {
    const deployed = await deployedStack(clientOf(region), name);
    const difference = fullDiff(deployed?.template ?? {}, template);
    comparisons.push({ name, deployed, difference, losses: lossesOf(name, difference) });
  }
  return comparisons;
};

/** Shows all differences of a stack, those of rights apart. */
export const show = (stream: NodeJS.WritableStream, { name, deployed, difference }: Comparison): void => {
  stream.write(`\n${name}${deployed ? '' : ' (new)'}\n`);
  if (difference.isEmpty) {
    stream.write('No differences\n');
    return;
  }
  formatDifferences(stream, difference);
  formatSecurityChanges(stream, difference);
};

/** How many resources come, change and go. */
export const summary = ({ name, deployed, difference }: Comparison): string => {
  const changes = Object.values(difference.resources.changes);
  const count = (wanted: 'isAddition' | 'isUpdate' | 'isRemoval') => changes.filter((each) => each[wanted]).length;
  const counted = `${count('isAddition')} resources come, ${count('isUpdate')} change, ${count('isRemoval')} go`;
  return `${name}: ${deployed ? '' : 'new, '}${counted}`;
};
