import type { TemplateStatement } from './policies-of-templates.ts';

/** Values of condition keys in a request. */
export type RequestContext = Readonly<Record<string, readonly string[]>>;

/** Compares as policies do, letter by letter: `*` stands for any number of letters, `?` for one. */
const like = (pattern: string, text: string): boolean => {
  if (pattern === '') return text === '';
  const [first, rest] = [pattern[0], pattern.slice(1)];
  if (first === '*') return like(rest, text) || (text !== '' && like(pattern, text.slice(1)));
  return text !== '' && (first === '?' || first === text[0]) && like(rest, text.slice(1));
};

/** The operators that the project's policies use. Throws for any other, so that none is taken for met. */
const holds = (operator: string, wanted: readonly string[], values: readonly string[] | undefined): boolean => {
  const oneOf = (compare: (pattern: string, text: string) => boolean) => (value: string) =>
    wanted.some((each) => compare(each, value));
  const same = (a: string, b: string) => a === b;
  switch (operator) {
    case 'Null':
      return wanted[0] === String((values ?? []).length === 0);
    case 'Bool':
    case 'StringEquals':
      return (values ?? []).some(oneOf(same));
    case 'StringEqualsIfExists':
      return values === undefined || values.some(oneOf(same));
    case 'StringLike':
      return (values ?? []).some(oneOf(like));
    case 'ForAllValues:StringEquals':
      return (values ?? []).every(oneOf(same));
    case 'ForAllValues:StringLike':
      return (values ?? []).every(oneOf(like));
    case 'ForAnyValue:StringLike':
      return (values ?? []).some(oneOf(like));
    default:
      throw new Error(`The model does not know ${operator}`);
  }
};

/**
 * Whether statements let somebody do something: one of them allows it and none denies it. A second reading of IAM's rules, by which the templates are judged; what judges calls on this machine is another.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics.html
 */
export const mayDo = (
  statements: readonly TemplateStatement[],
  action: string,
  resource: string,
  context: RequestContext = {},
): boolean => {
  const speaking = statements.filter(
    ({ actions, resources, conditions }) =>
      actions.some((each) => like(each, action)) &&
      resources.some((each) => like(each, resource)) &&
      Object.entries(conditions).every(([operator, keys]) =>
        Object.entries(keys).every(([key, wanted]) => holds(operator, [wanted].flat(), context[key])),
      ),
  );
  return speaking.some(({ effect }) => effect === 'Allow') && !speaking.some(({ effect }) => effect === 'Deny');
};
