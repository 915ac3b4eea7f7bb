import { safeParse } from 'zod/v4/core';
import { type ComplexSchema, maxIssues } from './complex-type.ts';
import type { ResourceSchema } from './resource-schema.ts';
import type { SchemaIssue } from './schema-issue.ts';
import type { ValidationIssue } from './validation-issue.ts';

/** Levels of objects and arrays in a resource. Real ones have about ten; more would let a request exhaust the stack. */
export const maxDepth = 64;

/** Whether JSON is nested deeper than so many levels. Goes no deeper itself. */
export const isDeeperThan = (levels: number, value: unknown): boolean => {
  if (typeof value !== 'object' || value === null) return false;
  if (levels === 0) return true;
  for (const member of Array.isArray(value) ? value : Object.values(value)) {
    if (typeof member === 'object' && isDeeperThan(levels - 1, member)) return true;
  }
  return false;
};

/** `Observation.component[0].code` */
const toFhirPath = (root: string, path: readonly (string | number)[]): string =>
  path.reduce<string>((parent, step) => (typeof step === 'number' ? `${parent}[${step}]` : `${parent}.${step}`), root);

/**
 * Checks that a resource has the structure that R4 gives its type: elements, cardinality, datatypes, required bindings,
 * targets of references, safe narrative. The rules between elements are in check-invariants.ts.
 *
 * @param schema - of the type that the resource, or the value of a datatype, should be.
 * @param resource - JSON as parsed; it is not changed.
 * @returns what is wrong, in document order, at most 50; empty if it is legal. No issue repeats a value of the resource.
 * @see https://hl7.org/fhir/R4/validation.html
 */
export const validateStructure = (schema: ResourceSchema | ComplexSchema, resource: unknown): ValidationIssue[] => {
  if (isDeeperThan(maxDepth, resource)) {
    const message = `must not be nested deeper than ${maxDepth} levels`;
    return [{ severity: 'error', code: 'structure', expression: schema.typeName, message }];
  }
  const result = safeParse(schema, resource);
  if (result.success) return [];
  // every schema raises issues of one kind: schema-issue.ts
  const issues = result.error.issues as unknown as readonly SchemaIssue[];
  return issues.slice(0, maxIssues).map(({ params, path, message }) => ({
    severity: 'error',
    code: params.code,
    expression: toFhirPath(schema.typeName, path),
    message,
  }));
};
