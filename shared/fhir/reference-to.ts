import { $constructor, $ZodType } from 'zod/v4/core';
import { type ComplexSchema, childrenAsOf } from './complex-type.ts';
import { resourceTypes } from './generated/resource-types.ts';
import { lazySchema } from './lazy-schema.ts';
import { issuesFrom, schemaIssue } from './schema-issue.ts';

interface ReferenceDefinition {
  type: 'custom';
  readonly reference: $ZodType;
  readonly targets: readonly string[];
}

const known: ReadonlySet<string> = new Set(resourceTypes);

const idPattern = '[A-Za-z0-9\\-.]{1,64}';
// https://hl7.org/fhir/R4/references.html#literal
const literal = new RegExp(`(?:^|/)([A-Za-z]+)/${idPattern}(?:/_history/${idPattern})?$`);
/** The longest type, id and version that the pattern could match; what stands before them is not searched. */
const literalLength = 200;
// https://hl7.org/fhir/R4/http.html#trules
const conditional = /^([A-Za-z]+)\?/;

/** The type that a reference shows; undefined for `urn:uuid:…`, `#contained` and addresses of another shape. */
const typeShownBy = (reference: string): string | undefined => {
  const match = conditional.exec(reference) ?? literal.exec(reference.slice(-literalLength));
  const type = match?.[1];
  if (type === undefined || !known.has(type)) return undefined;
  const isRelative = reference.startsWith(type);
  return isRelative || /^https?:\/\//.test(reference) ? type : undefined;
};

const definitionBase = 'http://hl7.org/fhir/StructureDefinition/';

/** The type that Reference.type names, relative or absolute; undefined for a logical model. */
const typeNamedBy = (type: string): string | undefined => {
  const name = type.startsWith(definitionBase) ? type.slice(definitionBase.length) : type;
  return known.has(name) ? name : undefined;
};

const ReferenceTo = /* @__PURE__ */ $constructor<$ZodType & { _zod: { def: ReferenceDefinition } }>(
  'FhirReferenceTo',
  (schema, { type, reference, targets }) => {
    $ZodType.init(schema, { type });
    const allowed: ReadonlySet<string> = new Set(targets);
    const wrongType = `must refer to ${targets.join(' or ')}`;
    schema._zod.parse = (payload, context) => {
      const issues = issuesFrom(reference, payload.value, context);
      payload.issues.push(...issues);
      if (issues.length > 0) return payload;
      const value = payload.value as fhir4.Reference;
      const shown = value.reference === undefined ? undefined : typeShownBy(value.reference);
      const named = value.type === undefined ? undefined : typeNamedBy(value.type);
      if (shown !== undefined && !allowed.has(shown)) {
        payload.issues.push(schemaIssue('value', wrongType, ['reference']));
      } else if (named !== undefined && !allowed.has(named)) {
        payload.issues.push(schemaIssue('value', wrongType, ['type']));
      } else if (shown !== undefined && named !== undefined && shown !== named) {
        // https://hl7.org/fhir/R4/references-definitions.html#Reference.type
        payload.issues.push(schemaIssue('value', 'must be the type that the reference shows', ['type']));
      }
      return payload;
    };
  },
);

/**
 * A Reference to certain resource types, as far as the reference itself shows its target's type.
 *
 * @param reference - the schema of the datatype Reference.
 */
export const referenceTo = (reference: ComplexSchema, ...targets: string[]): ComplexSchema =>
  lazySchema<ComplexSchema>(() => new ReferenceTo({ type: 'custom', reference, targets }), childrenAsOf(reference));
