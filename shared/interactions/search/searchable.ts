import { decideType } from '../../access/decide.ts';
import type { Asking } from '../../access/question.ts';
import type { SearchTypes } from '../../record-types/search-types.ts';

/** Names of the types that can be searched together with others: all but the access log, whose entries are no records. */
export const searchableTogether = ({ names, get }: SearchTypes): string[] =>
  names.filter((name) => get(name)?.subject !== 'audit');

/** Those of them that the caller may search. */
export const searchableBy = (types: SearchTypes, asking: Asking): string[] =>
  searchableTogether(types).filter((name) => {
    const type = types.get(name);
    return type !== undefined && decideType(asking, 's', type).permit;
  });
