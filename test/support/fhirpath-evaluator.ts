import fhirpath from 'fhirpath';
import r4 from 'fhirpath/fhir-context/r4';

// The evaluator cannot resolve references. What `resolve() is Patient` comes down to without: the type that the reference states.
const withoutResolve = (expression: string): string =>
  expression.replace(
    /where\(resolve\(\) is (\w+)\)/g,
    (_, type: string) =>
      `where(type = '${type}' or reference.matches('^([^:]*|https?:.*/)${type}/[^/]+(/_history/[^/]+)?$'))`,
  );

/** Evaluates an expression with an evaluator that shares nothing with the compiler but the parser. */
export const evaluate = (
  resource: unknown,
  expression: string,
  constants: Readonly<Record<string, unknown>> = {},
): unknown[] =>
  fhirpath.evaluate(
    structuredClone(resource), // it leaves marks on what it evaluates
    withoutResolve(expression),
    { resource, rootResource: resource, ucum: 'http://unitsofmeasure.org', ...constants },
    r4,
    { traceFn: () => undefined },
  ) as unknown[];
