/** An event pattern of EventBridge, as event source mappings use it too: what an object must hold. */
export type EventPattern = { readonly [key: string]: EventPattern | readonly unknown[] };

/**
 * Whether a value has what a pattern asks for. Everything a pattern names must match; the elements of a list are alternatives.
 *
 * @throws Error for a kind of comparison that is not known here: guessing would hide a pattern that the service refuses.
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
 */
export const matchesPattern = (pattern: EventPattern, value: unknown): boolean =>
  Object.entries(pattern).every(([key, wanted]) => {
    if (key === '$or' && Array.isArray(wanted))
      return wanted.some((each) => matchesPattern(each as EventPattern, value));
    const found = isObject(value) ? value[key] : undefined;
    return Array.isArray(wanted) ? matchesAny(wanted, found) : matchesPattern(wanted as EventPattern, found);
  });

const matchesAny = (alternatives: readonly unknown[], found: unknown): boolean => {
  if (Array.isArray(found)) return found.some((each) => matchesAny(alternatives, each));
  return alternatives.some((alternative) =>
    isObject(alternative) ? compare(alternative, found) : alternative === found,
  );
};

const compare = (comparison: Readonly<Record<string, unknown>>, found: unknown): boolean => {
  const [[name, operand] = ['', undefined]] = Object.entries(comparison);
  const text = typeof found === 'string' ? found : undefined;
  switch (name) {
    case 'exists':
      return (found !== undefined) === operand;
    case 'prefix':
      return text?.startsWith(String(operand)) ?? false;
    case 'suffix':
      return text?.endsWith(String(operand)) ?? false;
    case 'equals-ignore-case':
      return text?.toLowerCase() === String(operand).toLowerCase();
    case 'anything-but':
      return found !== undefined && !matchesAny([operand].flat(), found);
    case 'numeric':
      return typeof found === 'number' && Array.isArray(operand) && inRange(operand, found);
    default:
      throw new Error(`Unknown comparison in an event pattern: ${name}`);
  }
};

/** Such as `['>', 0, '<=', 5]`. */
const inRange = (bounds: readonly unknown[], found: number): boolean => {
  for (let index = 0; index < bounds.length; index += 2) {
    const bound = Number(bounds[index + 1]);
    const holds = {
      '=': found === bound,
      '<': found < bound,
      '<=': found <= bound,
      '>': found > bound,
      '>=': found >= bound,
    };
    if (!holds[bounds[index] as keyof typeof holds]) return false;
  }
  return true;
};

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
