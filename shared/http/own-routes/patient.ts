import { everythingOfOwn, everythingOfPatient } from '../../interactions/everything/operations.ts';
import { matchPatient } from '../../interactions/match/match.ts';
import { searchWholeCompartment } from '../../interactions/search/whole-compartment.ts';
import { compartmentRoutes } from '../compartment-routes.ts';
import type { OwnRoutes } from '../routes.ts';

/** What can be asked of a patient alone. https://hl7.org/fhir/R4/patient-operations.html */
export const patientRoutes: OwnRoutes = {
  Patient: [
    { method: 'GET', path: ['$everything'], interaction: everythingOfOwn, name: 'operation' },
    { method: 'POST', path: ['$everything'], interaction: everythingOfOwn, name: 'operation' },
    { method: 'POST', path: ['$match'], interaction: matchPatient, name: 'operation' },
    { method: 'GET', path: ['{id}', '$everything'], interaction: everythingOfPatient, name: 'operation' },
    { method: 'POST', path: ['{id}', '$everything'], interaction: everythingOfPatient, name: 'operation' },
    { method: 'GET', path: ['{id}', '*'], interaction: searchWholeCompartment, name: 'search-compartment' },
    { method: 'POST', path: ['{id}', '*', '_search'], interaction: searchWholeCompartment, name: 'search-compartment' },
    ...compartmentRoutes('Patient'),
  ],
};
