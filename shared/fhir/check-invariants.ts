import { maxIssues } from './complex-type.ts';
import { containedResourceInvariants } from './contained-resource-invariants.ts';
import { datatypeInvariants } from './generated/invariants/datatypes.ts';
import type { Invariant, InvariantsByType } from './invariant.ts';
import type { ResourceSchema } from './resource-schema.ts';
import type { ValidationIssue } from './validation-issue.ts';

type JsonObject = Readonly<Record<string, unknown>>;

interface Place {
  readonly element: JsonObject;
  readonly schema: Pick<ResourceSchema, 'typeName' | 'childOf'>;
  readonly expression: string;
}

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The values of a property, each with its FHIRPath expression. */
const valuesOf = (value: unknown, expression: string): { value: unknown; expression: string }[] =>
  Array.isArray(value)
    ? value.map((item: unknown, index) => ({ value: item, expression: `${expression}[${index}]` }))
    : [{ value, expression }];

const issueOf = ({ key, severity, human }: Invariant, expression: string): ValidationIssue => ({
  severity,
  code: 'invariant',
  expression,
  message: `${key}: ${human}`,
});

/**
 * Checks the rules of a resource's type, those of the datatypes at every element, and what R4 asks of contained resources.
 * Contained resources and the entries of a Bundle are not checked by the rules of their own types.
 *
 * @param schema - of the resource's type: it says of which type each element is.
 * @param invariants - generated for that type, from `generated/invariants/`.
 * @param resource - one that the schema accepts.
 * @returns errors and warnings in document order, at most 50 of each, with the expression of the element: `Observation.component[1]`.
 */
export const checkInvariants = (
  schema: ResourceSchema,
  invariants: InvariantsByType,
  resource: unknown,
): ValidationIssue[] => {
  const issues: ValidationIssue[] = [];
  if (!isObject(resource)) return issues;

  // Each severity has room of its own: no number of warnings may hide an error.
  const left = { error: maxIssues, warning: maxIssues };
  const report = (invariant: Invariant, expression: string): void => {
    if (left[invariant.severity]-- > 0) issues.push(issueOf(invariant, expression));
  };

  const check = (invariant: Invariant, { element, expression }: Place): void => {
    if (invariant.child === undefined) {
      if (!invariant.holds(element, resource, resource)) report(invariant, expression);
      return;
    }
    for (const each of valuesOf(element[invariant.child], `${expression}.${invariant.child}`)) {
      const isAbsent = each.value === undefined || each.value === null;
      if (!isAbsent && !invariant.holds(each.value, resource, resource)) {
        report(invariant, each.expression);
      }
    }
  };

  const root: Place = { element: resource, schema, expression: schema.typeName };
  for (const invariant of containedResourceInvariants) check(invariant, root);

  const open: Place[] = [root]; // not recursive: a deep resource must not exhaust the stack
  for (let place = open.pop(); place !== undefined; place = open.pop()) {
    const { element, expression } = place;
    const type = place.schema.typeName;
    for (const invariant of invariants[type] ?? datatypeInvariants[type] ?? []) check(invariant, place);
    const children: Place[] = [];
    for (const property of Object.keys(element)) {
      const below = place.schema.childOf(property);
      if (below === undefined) continue;
      const name = property.startsWith('_') ? property.slice(1) : property;
      for (const child of valuesOf(element[property], `${expression}.${name}`)) {
        if (isObject(child.value)) children.push({ element: child.value, schema: below, expression: child.expression });
      }
    }
    // One by one: as arguments of one call, a hundred thousand would not fit on the stack.
    for (const child of children.reverse()) open.push(child);
  }
  return issues;
};
