import { requestAmendment, requestedAgain } from '../../interactions/amendments/operations.ts';
import type { Interaction } from '../../interactions/context.ts';
import {
  disclosures,
  entryAgain,
  recordDisclosure,
  suspendDisclosures,
} from '../../interactions/disclosures/operations.ts';
import { breakGlass, brokenAgain, emergencyMatch, verifyCaller } from '../../interactions/emergency/operations.ts';
import { everythingOfOwn, everythingOfPatient, timelineOfPatient } from '../../interactions/everything/operations.ts';
import { merge, unmerge } from '../../interactions/merging/operations.ts';
import { reconcile, reconciledAgain, toReconcile } from '../../interactions/reconciling/operations.ts';
import { chartsDue, legalHold, officersAgain, purge, releaseHold } from '../../interactions/retention/operations.ts';
import { searchWholeCompartment } from '../../interactions/search/whole-compartment.ts';
import { summaryOfPatient } from '../../interactions/summary/operations.ts';
import { compartmentRoutes } from '../compartment-routes.ts';
import { ownOperation } from '../own-operation.ts';
import type { Again, OwnRoutes } from '../routes.ts';

const matchPatient: Interaction = async (...asked) =>
  (await import('../../interactions/match/match.lazy.ts')).matchPatient(...asked);

const register: Interaction = async (...asked) =>
  (await import('../../interactions/registering/registering.lazy.ts')).register(...asked);

const contact: Interaction = async (...asked) =>
  (await import('../../interactions/contact/contact.lazy.ts')).contact(...asked);

const ofProxies = () => import('../../interactions/proxies/operations.lazy.ts');
const proxies =
  (name: 'grantProxy' | 'endProxy' | 'emancipate' | 'proxiesOfPatient'): Interaction =>
  async (...asked) =>
    (await ofProxies())[name](...asked);
const recordedAgain: Again = async (...asked) => (await ofProxies()).recordedAgain(...asked);

/** What can be asked of a patient alone. https://hl7.org/fhir/R4/patient-operations.html */
export const patientRoutes: OwnRoutes = {
  Patient: [
    { method: 'GET', path: ['$everything'], interaction: everythingOfOwn, name: 'operation' },
    { method: 'POST', path: ['$everything'], interaction: everythingOfOwn, name: 'operation' },
    { method: 'POST', path: ['$match'], interaction: matchPatient, name: 'operation' },
    { method: 'GET', path: ['{id}', '$everything'], interaction: everythingOfPatient, name: 'operation' },
    { method: 'POST', path: ['{id}', '$everything'], interaction: everythingOfPatient, name: 'operation' },
    ...(['GET', 'POST'] as const).map((method) => ({
      ...ownOperation(method, 'Patient/{id}/$summary', summaryOfPatient),
      definition: 'http://hl7.org/fhir/uv/ips/OperationDefinition/summary',
    })),
    ownOperation('GET', 'Patient/{id}/$timeline', timelineOfPatient),
    ownOperation('POST', 'Patient/$emergency-match', emergencyMatch),
    ownOperation('POST', 'Patient/{id}/$break-glass', breakGlass, brokenAgain),
    ownOperation('POST', 'Patient/$verify-caller', verifyCaller),
    ownOperation('POST', 'Patient/$register', register, 'c'),
    ownOperation('POST', 'Patient/{id}/$merge', merge, 'u'),
    ownOperation('POST', 'Patient/{id}/$unmerge', unmerge, 'u'),
    ownOperation('GET', 'Patient/{id}/$contact', contact),
    ownOperation('GET', 'Patient/{id}/$reconcile-medications', toReconcile),
    ownOperation('POST', 'Patient/{id}/$reconcile-medications', reconcile, reconciledAgain),
    ownOperation('GET', 'Patient/{id}/$disclosures', disclosures),
    ownOperation('POST', 'Patient/{id}/$record-disclosure', recordDisclosure, entryAgain),
    ownOperation('POST', 'Patient/{id}/$suspend-disclosures', suspendDisclosures, entryAgain),
    ownOperation('POST', 'Patient/{id}/$request-amendment', requestAmendment, requestedAgain),
    ownOperation('POST', 'Patient/{id}/$legal-hold', legalHold, officersAgain),
    ownOperation('POST', 'Patient/{id}/$release-hold', releaseHold, officersAgain),
    ownOperation('POST', 'Patient/{id}/$purge', purge, officersAgain),
    ownOperation('GET', 'Patient/$purge-due', chartsDue),
    ownOperation('POST', 'Patient/{id}/$grant-proxy', proxies('grantProxy'), recordedAgain),
    ownOperation('POST', 'Patient/{id}/$end-proxy', proxies('endProxy'), recordedAgain),
    ownOperation('POST', 'Patient/{id}/$emancipate', proxies('emancipate'), recordedAgain),
    ownOperation('GET', 'Patient/{id}/$proxies', proxies('proxiesOfPatient')),
    { method: 'GET', path: ['{id}', '*'], interaction: searchWholeCompartment, name: 'search-compartment' },
    { method: 'POST', path: ['{id}', '*', '_search'], interaction: searchWholeCompartment, name: 'search-compartment' },
    ...compartmentRoutes('Patient'),
  ],
};
