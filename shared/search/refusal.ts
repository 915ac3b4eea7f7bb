import { RecordError } from '../errors.ts';

/** A parameter that breaks a rule. The message never repeats its value, which may be a patient's. */
export const invalidParameter = (name: string, message: string): RecordError =>
  new RecordError('invalid', message, { expression: name });

/** A parameter that is legal but not served, and must not be ignored. */
export const unsupportedParameter = (name: string, message: string): RecordError =>
  new RecordError('invalid', message, {
    reason: 'not-supported',
    details: [{ expression: name, message, code: 'not-supported' }],
  });
