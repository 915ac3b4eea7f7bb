import { visitKey } from '../store/keys.ts';
import type { RecordType } from './define-record-type.ts';

/** What records of a type tell of visits. That one took place goes with its record; it is only put where another organisation keeps the chart. */
export const visitsOf = (
  visitOf: NonNullable<RecordType['visitOf']>,
): Required<Pick<RecordType, 'visitOf' | 'accessRows'>> => ({
  visitOf,
  accessRows: ({ next, previous }) => ({
    puts: [],
    removes: !next.resource && previous && visitOf(previous) ? [visitKey(next)] : [],
  }),
});
