import { RecordError } from '../../../shared/errors.ts';

export const refuse = () => {
  throw new RecordError('invalid', 'Never');
};
