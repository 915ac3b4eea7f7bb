import { RecordError } from '../errors.ts';

/** A patch that is none, or asks for what is not served. */
export const malformedPatch = (expression: string, message: string): RecordError =>
  new RecordError('invalid', message, { reason: 'patch-malformed', expression });

/** A patch that does not fit the record as it is. */
export const patchDoesNotFit = (expression: string, message: string): RecordError =>
  new RecordError('business-rule', message, { reason: 'patch-does-not-fit', expression });

/** Operations of one patch: each may look through the whole record. */
const mostOperations = 1_000;

/** @throws RecordError `invalid` if there are more operations than are served. */
export const requireFewOperations = (operations: readonly unknown[], expression: string): void => {
  if (operations.length > mostOperations)
    throw malformedPatch(expression, `A patch has ${mostOperations} operations at most`);
};
