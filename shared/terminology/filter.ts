import type { CodeSystem, Concept } from './code-system.ts';
import { TerminologyGap } from './gap.ts';

/** Whether a concept passes. */
type Passes = (concept: Concept) => boolean;

/** Names under which a filter means the concept itself. */
const theConcept: ReadonlySet<string> = new Set(['concept', 'code']);
/** Properties that every concept may have. https://hl7.org/fhir/R4/codesystem-concept-properties.html */
const common: ReadonlySet<string> = new Set(['parent', 'child', 'inactive', 'notSelectable', 'status', 'subsumedBy']);

/**
 * A filter of a value set over a code system. https://hl7.org/fhir/R4/valueset-filter-operator.html
 *
 * @throws TerminologyGap for a property that the code system does not have, and a pattern that could take too long.
 */
export const filterOf = (
  codeSystem: CodeSystem,
  { property, op, value }: fhir4.ValueSetComposeIncludeFilter,
): Passes => {
  const { url, find, ancestors, properties } = codeSystem;
  const named = find(value)?.code ?? value;
  if (theConcept.has(property)) {
    switch (op) {
      case 'is-a':
        return ({ code }) => code === named || ancestors(code).has(named);
      case 'descendent-of':
        return ({ code }) => ancestors(code).has(named);
      case 'is-not-a':
        return ({ code }) => code !== named && !ancestors(code).has(named);
      case 'generalizes': {
        const above = ancestors(named);
        return ({ code }) => code === named || above.has(code);
      }
    }
  }
  const valuesOf = valuesIn(property);
  if (!theConcept.has(property) && property !== 'display' && !common.has(property) && !properties.has(property))
    throw new TerminologyGap(`The code system ${url} has no property ${property} to filter by`);
  const some =
    (test: (text: string) => boolean): Passes =>
    (concept) =>
      valuesOf(concept).some(test);
  switch (op) {
    case '=':
      return some((text) => text === value);
    case 'in':
    case 'not-in': {
      const listed = new Set(value.split(',').map((each) => each.trim()));
      const isListed = some((text) => listed.has(text));
      return op === 'in' ? isListed : (concept) => !isListed(concept);
    }
    case 'exists':
      return (concept) => valuesOf(concept).length > 0 === (value === 'true');
    case 'regex': {
      const pattern = boundedPattern(value);
      return some((text) => pattern.test(text));
    }
  }
  throw new TerminologyGap(`A filter ${op} on ${property} is not evaluated here`);
};

const valuesIn =
  (property: string) =>
  ({ code, display, parents, properties }: Concept): readonly string[] => {
    if (theConcept.has(property)) return [code];
    if (property === 'display') return display === undefined ? [] : [display];
    return property === 'parent' ? [...parents] : (properties.get(property) ?? []);
  };

/** Letters of the longest text that a pattern is tried on. Codes are shorter. */
const longestText = 256;

/**
 * A regular expression that must match the whole. What could take exponential time, a repeated group or a back reference, is refused, and
 * so are many repetitions of varying length.
 */
const boundedPattern = (pattern: string): { test(text: string): boolean } => {
  const bare = pattern.replace(/\\[^\dk]|\[(?:\\.|[^\]\\])*\]/g, 'x');
  const varying = bare.match(/[*+?]|\{\d+,\d*\}/g) ?? [];
  if (pattern.length > longestText || /\)[*+?{]|\\|\(\?/.test(bare) || varying.length > 3)
    throw new TerminologyGap('A regular expression of this kind is not evaluated here');
  try {
    const whole = new RegExp(`^(?:${pattern})$`);
    return { test: (text) => text.length <= longestText && whole.test(text) };
  } catch {
    throw new TerminologyGap('A filter has no valid regular expression');
  }
};
