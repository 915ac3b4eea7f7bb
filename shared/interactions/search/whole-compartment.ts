import { searchTypes } from '../../record-types/search-types.ts';
import type { Interaction } from '../context.ts';
import { scopeOf } from './compartment.ts';
import { openSearchAcross } from './open.ts';
import { answerSearch } from './search.ts';
import { searchableBy } from './searchable.ts';

/** `GET /Patient/{id}/*`: searches all types of the patient's compartment that the caller may search. https://hl7.org/fhir/R4/http.html#search */
export const searchWholeCompartment: Interaction = async ({ recordType: _owner, ...request }, { id }) => {
  const { compartments } = await import('../../fhir/compartments.lazy.ts');
  const names = searchableBy(await searchTypes(), request.asking).filter((name) => name in compartments.Patient);
  return answerSearch(request, (sent) => openSearchAcross(request, sent, names, scopeOf(compartments, 'Patient', id)));
};
