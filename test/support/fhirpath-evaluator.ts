import fhirpath from 'fhirpath';
import r4 from 'fhirpath/fhir-context/r4';

// The evaluator cannot resolve references. What `resolve() is Patient` comes down to without: the type that the reference states.
const withoutResolve = (expression: string): string =>
  expression.replace(
    /where\(resolve\(\) is (\w+)\)/g,
    (_, type: string) =>
      `where(type = '${type}' or reference.matches('^([^:]*|https?:.*/)${type}/[^/]+(/_history/[^/]+)?$'))`,
  );

type Compiled = (resource: unknown, constants: Readonly<Record<string, unknown>>) => unknown;

/** Reading an expression takes twenty times as long as evaluating it. */
const compiled = new Map<string, Compiled>();

const compile = (expression: string): Compiled => {
  const known = compiled.get(expression);
  if (known) return known;
  const made = fhirpath.compile(withoutResolve(expression), r4, { traceFn: () => undefined }) as Compiled;
  compiled.set(expression, made);
  return made;
};

/** Evaluates an expression with an evaluator that shares nothing with the compiler but the parser. */
export const evaluate = (
  resource: unknown,
  expression: string,
  constants: Readonly<Record<string, unknown>> = {},
): unknown[] =>
  compile(expression)(structuredClone(resource) /* it leaves marks on what it evaluates */, {
    resource,
    rootResource: resource,
    ucum: 'http://unitsofmeasure.org',
    ...constants,
  }) as unknown[];
