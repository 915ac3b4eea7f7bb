import type { $ZodType, ParseContextInternal } from 'zod/v4/core';
import type { ValidationIssue } from './validation-issue.ts';

/** What a schema found wrong, as zod keeps it until `validateStructure` reads it. A type, since zod wants an index signature. */
export type SchemaIssue = {
  code: 'custom';
  /** Names and indexes as FHIRPath has them: what is wrong with `_birthDate` is filed under `birthDate`. */
  path: (string | number)[];
  message: string;
  params: { code: ValidationIssue['code'] };
  /** Zod asks for it and may hand it out, so it is never the offending value, which may be a patient's. */
  input: undefined;
};

/** An issue about an element or, given its path, about something inside it. */
export const schemaIssue = (
  code: ValidationIssue['code'],
  message: string,
  path: (string | number)[] = [],
): SchemaIssue => ({ code: 'custom', path, message, params: { code }, input: undefined });

/** What a schema of this folder finds wrong with a value; paths start at the value. */
export const issuesFrom = (schema: $ZodType, value: unknown, context: ParseContextInternal): SchemaIssue[] => {
  const payload = { value, issues: [] };
  // zod allows for asynchronous schemas; none of ours is
  void schema._zod.run(payload, context);
  return payload.issues;
};
