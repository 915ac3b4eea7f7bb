import { $constructor, $ZodType } from 'zod/v4/core';
import { type ComplexSchema, childrenAsOf } from './complex-type.ts';
import { lazySchema } from './lazy-schema.ts';
import { issuesFrom, schemaIssue } from './schema-issue.ts';

/** Codes of a value set by code system. */
export type Codings = Readonly<Record<string, readonly string[]>>;

interface ConceptDefinition {
  type: 'custom';
  readonly codeableConcept: $ZodType;
  readonly valueSet: string;
  readonly codings: Codings;
}

const ConceptOf = /* @__PURE__ */ $constructor<$ZodType & { _zod: { def: ConceptDefinition } }>(
  'FhirConceptOf',
  (schema, { type, codeableConcept, valueSet, codings }) => {
    $ZodType.init(schema, { type });
    const systems: ReadonlyMap<string | undefined, readonly (string | undefined)[]> = new Map(Object.entries(codings));
    const codes = Object.values(codings).flat();
    schema._zod.parse = (payload, context) => {
      const issues = issuesFrom(codeableConcept, payload.value, context);
      payload.issues.push(...issues);
      if (issues.length > 0) return payload;
      const { coding = [], text, extension } = payload.value as fhir4.CodeableConcept;
      // as with a primitive, an extension may say why there is no value
      if (coding.length === 0 && text === undefined && extension !== undefined) return payload;
      if (!coding.some(({ system, code }) => systems.get(system)?.includes(code) === true)) {
        const message = `must have a coding of ${valueSet}: ${codes.join(', ')}`;
        payload.issues.push(schemaIssue('code-invalid', message));
      }
      return payload;
    };
  },
);

/**
 * A CodeableConcept of which one coding must be in a value set. https://hl7.org/fhir/R4/terminologies.html#required
 *
 * @param codeableConcept - the schema of that datatype.
 * @param valueSet - canonical address of the value set.
 */
export const conceptOf = (codeableConcept: ComplexSchema, valueSet: string, codings: Codings): ComplexSchema =>
  lazySchema<ComplexSchema>(
    () => new ConceptOf({ type: 'custom', codeableConcept, valueSet, codings }),
    childrenAsOf(codeableConcept),
  );
