import type { StageConfig } from '../stages.ts';

/** A rule of a pack of cdk-nag, or one of our own. What the packs say: https://github.com/cdklabs/cdk-nag/blob/main/RULES.md */
export type Rule = `${'AwsSolutions' | 'HIPAA.Security' | 'Concord'}-${string}`;

/** A finding of a rule that stays, and why. */
export interface Acknowledgement {
  readonly rule: Rule;
  /**
   * What of it, where a rule tells several findings of a resource apart, such as `Resource::<BodiesBucket.Arn>/*`: a reference to another
   * resource is its construct and attribute, in whichever stack it is, and a region of the stage is `<region>`, and its name `<stage>`.
   */
  readonly finding?: string;
  /**
   * Places, each `<stack>/<path of constructs>`, such as `api/Api/Resource`; for a rule of our own, which reads templates, `<stack>/<name of the resource>`. A `*` is any
   * text without a slash.
   */
  readonly where: readonly string[];
  readonly reason: string;
  /** Stages that need it; all, if absent. */
  readonly when?: (stage: StageConfig) => boolean;
}

/** What a rule has found at one resource of a stage. */
export interface Finding {
  readonly rule: string;
  readonly finding: string | undefined;
  /** `<stack>/<path of constructs>`. */
  readonly place: string;
}

/** A finding with what its rule says of it. */
export interface ToldFinding extends Finding {
  readonly says: string;
}

/** The place of a construct of a stage: its path without what all of its stacks are named by. */
export const placeOf = (path: string, { name }: StageConfig): string => path.replace(`concord-${name}-`, '');

/** What stands in the region of a recovery as it does in the first one has one place with it, and one reason. */
export const inEitherRegion = (place: string): string => place.replace(/^recovery-(?!keys)/, '');

/**
 * Takes a finding's id apart, such as `AwsSolutions-IAM5[Resource::<BodiesBucket7CDFEDE9.Arn>/*]`. What refers to another stack is that before templates
 * are made, and the name of an export afterwards: `concord-dev-documents:ExportsOutputFnGetAttBodiesBucket7CDFEDE9Arn56676975`. Both become the same here.
 */
export const findingOf = (
  id: string,
  place: string,
  { name, region, recovery }: Pick<StageConfig, 'name' | 'region' | 'recovery'>,
): Finding => {
  const [, rule = id, finding] = /^([^[]+)\[(.*)\]$/s.exec(id) ?? [];
  const hash = '[0-9A-F]{8}';
  return {
    rule,
    finding: finding
      ?.replace(
        new RegExp(`[\\w-]+:ExportsOutput(?:FnGetAtt|Ref)(\\w+?)${hash}(\\w*?)${hash}`, 'g'),
        (_, name, attribute) => (attribute ? `<${name}.${attribute}>` : `<${name}>`),
      )
      .replace(new RegExp(`<(\\w+?)${hash}(\\.\\w+)?>`, 'g'), '<$1$2>')
      .replaceAll(region, '<region>')
      .replaceAll(recovery?.region ?? region, '<region>')
      .replaceAll(`concord-${name}`, 'concord-<stage>'),
    place: inEitherRegion(place),
  };
};

/** Whether a place is one of those that a pattern names. */
export const isAt = (pattern: string, place: string): boolean => {
  const parts = pattern.split('*').map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`));
  return new RegExp(`^${parts.join('[^/]*')}$`).test(place);
};

/** Whether an acknowledgement is about a finding, at one of its places. */
export const isAbout = ({ rule, finding }: Acknowledgement, found: Finding, pattern: string): boolean =>
  rule === found.rule && finding === found.finding && isAt(pattern, found.place);
