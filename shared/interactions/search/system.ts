import { searchTypes } from '../../record-types/search-types.ts';
import type { Answer } from '../context.ts';
import { requireTypeAccess } from '../require-access.ts';
import { openSearchAcross } from './open.ts';
import type { SearchRequest } from './run.ts';
import { answerSearch } from './search.ts';
import { searchableBy, searchableTogether } from './searchable.ts';

/**
 * Search across types, `GET [base]?_type=Observation,Condition&…` and `POST [base]/_search`. A type that is named and that the caller may
 * not search is refused; where none is named, all are searched that the caller may. https://hl7.org/fhir/R4/http.html#search
 */
export const searchSystem = (context: SearchRequest): Promise<Answer> =>
  answerSearch(context, async (sent) => {
    const types = await searchTypes();
    const named = sent.some(([name]) => name === '_type');
    const names = named ? searchableTogether(types) : searchableBy(types, context.asking);
    const opened = await openSearchAcross(context, sent, names);
    for (const { recordType } of opened.searched) requireTypeAccess({ ...context, recordType }, 's');
    return opened;
  });
