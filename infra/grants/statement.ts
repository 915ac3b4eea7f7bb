/** Conditions by operator, then by key: `{ StringEquals: { 'kms:ViaService': 's3.eu-central-1.amazonaws.com' } }`. */
export type Conditions = Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;

/**
 * One statement of a role's policy as plain data: the stacks make policies of it, and the local stack judges by it what a function asks for.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html
 */
export interface Statement {
  /** Name within the policy. */
  readonly sid?: string;
  /** Allow if absent. */
  readonly effect?: 'Deny';
  readonly actions: readonly string[];
  /** ARNs. */
  readonly resources: readonly string[];
  readonly conditions?: Conditions;
}
