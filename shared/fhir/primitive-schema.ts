import { $constructor, $ZodType } from 'zod/v4/core';
import { lazySchema } from './lazy-schema.ts';
import { schemaIssue } from './schema-issue.ts';
import type { ValidationIssue } from './validation-issue.ts';

/** Returns what is wrong with a value, or undefined. */
export type Rule = (value: unknown) => Broken | undefined;

export interface Broken {
  readonly code: ValidationIssue['code'];
  /** Names the rule, never the value. */
  readonly message: string;
}

interface PrimitiveDefinition {
  type: 'custom';
  readonly rule: Rule;
}

/** A zod schema for one value that is no JSON object: one rule, so that a wrong value makes one issue. */
export interface PrimitiveSchema<T = unknown> extends $ZodType<T, unknown> {
  readonly rule: Rule;
}

const RuledSchema = /* @__PURE__ */ $constructor<$ZodType & { _zod: { def: PrimitiveDefinition } }>(
  'FhirPrimitive',
  (schema, definition) => {
    $ZodType.init(schema, definition);
    schema._zod.parse = (payload) => {
      const broken = definition.rule(payload.value);
      if (broken !== undefined) payload.issues.push(schemaIssue(broken.code, broken.message));
      return payload;
    };
  },
);

/** Makes the schema of a primitive datatype. */
export const primitive = <T>(rule: Rule): PrimitiveSchema<T> =>
  lazySchema<PrimitiveSchema<T>>(() => new RuledSchema({ type: 'custom', rule }), { rule });

/** Whether the JSON property of such a value may have a sibling `_name` with its id and extensions. */
export const isPrimitive = (schema: $ZodType): schema is PrimitiveSchema => 'rule' in schema;
