import type { Resource } from './resource.ts';
import type { ValidationIssue } from './validation-issue.ts';

type Json = Record<string, unknown>;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Removing what is wrong may leave something else wrong, such as an empty element. */
const mostRounds = 8;

/**
 * Removes the property that holds an element, so that no index of others changes; as much of the path as is there.
 *
 * @param expression - `Patient.name[0].given[1]`.
 * @returns what was removed: `Patient.name[0].given`; undefined if nothing is there.
 */
const removed = (resource: Json, expression: string): string | undefined => {
  const [root = '', ...steps] = expression.split('.');
  let holder = resource;
  let path = root;
  for (const [at, step] of steps.entries()) {
    const [, name = step, index] = /^(.*)\[(\d+)\]$/.exec(step) ?? [];
    const below = [holder[name], holder[`_${name}`]].map((value) =>
      index !== undefined && Array.isArray(value) ? (value[Number(index)] as unknown) : value,
    );
    const next = below.find(isObject);
    if (next === undefined || at === steps.length - 1) {
      if (!(name in holder) && !(`_${name}` in holder)) return undefined;
      delete holder[name];
      delete holder[`_${name}`];
      return `${path}.${name}`;
    }
    holder = next;
    path = `${path}.${step}`;
  }
  return undefined;
};

/** A resource without its elements of another structure than R4 gives its type. */
interface SoundPart {
  readonly part: Resource;
  /** Expressions of what was left out, without the index of a list's item. */
  readonly leftOut: readonly string[];
}

/** What is left is missing elements at most; undefined if there is no such part. */
const soundPart = (
  resource: Resource,
  structural: readonly ValidationIssue[],
  validate: (resource: Resource) => readonly ValidationIssue[],
): SoundPart | undefined => {
  const part = structuredClone(resource);
  const leftOut: string[] = [];
  let issues = structural;
  for (let round = 0; round < mostRounds; round++) {
    const wrong = issues.filter(({ code }) => code !== 'required');
    if (wrong.length === 0) return { part, leftOut };
    const gone = wrong.flatMap(({ expression }) => removed(part as Json, expression) ?? []);
    if (gone.length === 0) return undefined;
    leftOut.push(...gone);
    issues = validate(part);
  }
  return undefined;
};

const nameOf = ({ expression, message }: Pick<ValidationIssue, 'expression' | 'message'>): string =>
  `${expression} ${message}`;

/**
 * The rules that a resource breaks whose structure is wrong: those that its sound part breaks, and the whole does too as far as it can be asked,
 * so that none is told for what was left out.
 *
 * @param structural - what is wrong with its structure.
 * @param validate - tells that of another resource of the type.
 * @param rules - what else is asked of such a resource; may rely on its structure.
 * @returns undefined if no part of it is sound enough to ask.
 */
export const brokenRules = async <Issue extends ValidationIssue>(
  resource: Resource,
  structural: readonly ValidationIssue[],
  validate: (resource: Resource) => readonly ValidationIssue[],
  rules: (resource: Resource) => Promise<readonly Issue[]>,
): Promise<{ readonly part: Resource; readonly issues: readonly Issue[] } | undefined> => {
  const sound = soundPart(resource, structural, validate);
  if (!sound) return undefined;
  const { part, leftOut } = sound;
  const found = await rules(part);
  const isAbove = ({ expression }: Issue) => leftOut.some((path) => `${path}.`.startsWith(`${expression}.`));
  const whole = await rules(resource).then(
    (issues) => new Set(issues.map(nameOf)),
    () => undefined, // a rule met what its element cannot be
  );
  return { part, issues: found.filter((issue) => (whole ? whole.has(nameOf(issue)) : !isAbove(issue))) };
};
