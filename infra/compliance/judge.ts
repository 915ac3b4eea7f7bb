import type { StageConfig } from '../stages.ts';
import { type Acknowledgement, type Finding, isAbout, type ToldFinding } from './acknowledgement.ts';

export interface Judgement {
  /** Findings that nobody has given a reason for. */
  readonly unacknowledged: readonly ToldFinding[];
  /** Places of acknowledgements at which nothing was found, so that they would hide what comes there later. */
  readonly unneeded: readonly { readonly rule: string; readonly finding: string | undefined; readonly where: string }[];
  /** How often each acknowledgement was needed. */
  readonly acknowledged: readonly { readonly acknowledgement: Acknowledgement; readonly findings: number }[];
}

/** Holds what the rules have found in the stacks of a stage against what was acknowledged. */
export const judge = (
  findings: readonly ToldFinding[],
  acknowledgements: readonly Acknowledgement[],
  stage: StageConfig,
): Judgement => {
  const inStage = acknowledgements.filter(({ when }) => when?.(stage) ?? true);
  const about = (acknowledgement: Acknowledgement, finding: Finding) =>
    acknowledgement.where.some((pattern) => isAbout(acknowledgement, finding, pattern));
  return {
    unacknowledged: findings.filter((finding) => !inStage.some((each) => about(each, finding))),
    unneeded: inStage.flatMap((each) =>
      each.where
        .filter((pattern) => !findings.some((finding) => isAbout(each, finding, pattern)))
        .map((where) => ({ rule: each.rule, finding: each.finding, where })),
    ),
    acknowledged: inStage.map((acknowledgement) => ({
      acknowledgement,
      findings: findings.filter((finding) => about(acknowledgement, finding)).length,
    })),
  };
};

/** What is wrong, a line each, for whoever synthesises; none if nothing is. What is found at many places is one line. */
export const complaintsOf = ({ unacknowledged, unneeded }: Judgement): string[] => [
  ...[...Map.groupBy(unacknowledged, idOf)].map(
    ([id, found]) =>
      `${told(found.map(({ place }) => place))}: ${id}: ${found[0]?.says} Mend it, or acknowledge it in infra/compliance/acknowledged.`,
  ),
  ...unneeded.map(
    (each) =>
      `${each.where}: ${idOf(each)}: acknowledged and not found. Take this place out of infra/compliance/acknowledged.`,
  ),
];

const told = (places: readonly string[]): string =>
  places.length > 3 ? `${places.slice(0, 2).join(', ')} and ${places.length - 2} others` : places.join(', ');

const idOf = ({ rule, finding }: Pick<Finding, 'rule' | 'finding'>): string =>
  finding === undefined ? rule : `${rule}[${finding}]`;
