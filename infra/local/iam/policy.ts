import type { Statement } from '../../grants/statement.ts';
import { type Conditional, type ContextOf, conditional, matcherOf } from './conditions.ts';

/** What a call asks permission for: one action on one resource. */
export interface Asked {
  /** Such as `dynamodb:GetItem`. */
  readonly action: string;
  /** Its ARN. */
  readonly resource: string;
  readonly context: ContextOf;
}

/** How a policy decides: what is not allowed is refused, and what is denied is refused whatever allows it. */
export type Decision = 'allowed' | 'not allowed' | 'denied';

/** Statements of a role, read once. */
export interface Policy {
  decide(asked: Asked): Decision;
}

interface Compiled {
  readonly denies: boolean;
  readonly concerns: (action: string, resource: string) => boolean;
  readonly met: Conditional | undefined;
}

/**
 * Reads statements as IAM does.
 *
 * @throws Error for a condition that is not known here.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics.html
 */
export const policyOf = (statements: readonly Statement[]): Policy => {
  const compiled = statements.map(compile);
  /** Statements that concern an action on a resource, which a role asks for again and again. */
  const concerning = new Map<string, readonly Compiled[]>();
  return {
    decide: ({ action, resource, context }) => {
      const name = `${action} ${resource}`;
      let found = concerning.get(name);
      if (!found) {
        found = compiled.filter(({ concerns }) => concerns(action, resource));
        if (concerning.size < mostRemembered) concerning.set(name, found);
      }
      let decision: Decision = 'not allowed';
      for (const { denies, met } of found) {
        if (met && !met(context)) continue;
        if (denies) return 'denied';
        decision = 'allowed';
      }
      return decision;
    },
  };
};

/** Each object of a bucket is a resource of its own. */
const mostRemembered = 200;

const compile = ({ effect, actions, resources, conditions }: Statement): Compiled => {
  const ofActions = actions.map((action) => matcherOf(action.toLowerCase()));
  const ofResources = resources.map(matcherOf);
  return {
    denies: effect === 'Deny',
    concerns: (action, resource) =>
      ofActions.some((matches) => matches(action.toLowerCase())) && ofResources.some((matches) => matches(resource)),
    met: conditions && conditional(conditions),
  };
};
