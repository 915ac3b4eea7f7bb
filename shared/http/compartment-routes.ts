import type { CompartmentType } from '../fhir/compartments.lazy.ts';
import { searchCompartment } from '../interactions/search/compartment.ts';
import type { Route } from './routes.ts';

/** Searches in the compartment of a record, which go to the function of the record's type. https://hl7.org/fhir/R4/http.html#search */
export const compartmentRoutes = (owner: CompartmentType): readonly Route[] => {
  const route = { interaction: searchCompartment(owner), name: 'search-compartment' };
  return [
    { ...route, method: 'GET', path: ['{id}', '{type}'] },
    { ...route, method: 'POST', path: ['{id}', '{type}', '_search'] },
  ];
};
