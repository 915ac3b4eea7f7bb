import { RecordError } from '../../errors.ts';

/**
 * The number of an event, as the guide writes it: a text, for R4 has no integer of 64 bits.
 *
 * @throws RecordError `invalid`.
 */
export const eventNumber = (expression: string, text: string | undefined): number | undefined => {
  if (text === undefined) return undefined;
  if (!/^\d{1,10}$/.test(text))
    throw new RecordError('invalid', 'The number of an event has one to ten digits', { expression });
  return Number(text);
};
