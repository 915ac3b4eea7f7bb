import { RecordError } from '../../errors.ts';

/** Who prescribes, by their roles. */
export const prescribers: readonly string[] = ['physician'];

const shortestReason = 10;
const longestReason = 2_000;

/**
 * A reason that somebody has given.
 *
 * @param name - of the parameter.
 * @throws RecordError `invalid` for one that says nothing.
 */
export const reasonIn = (given: string, name: string): string => {
  const reason = given.trim();
  if (reason.length < shortestReason || reason.length > longestReason)
    throw new RecordError('invalid', `The reason has ${shortestReason} to ${longestReason} letters`, {
      expression: name,
    });
  return reason;
};
