import { requestAmendment } from '../../interactions/amendments/operations.ts';
import type { Interaction } from '../../interactions/context.ts';
import { disclosures, recordDisclosure, suspendDisclosures } from '../../interactions/disclosures/operations.ts';
import { breakGlass, emergencyMatch } from '../../interactions/emergency/operations.ts';
import { everythingOfOwn, everythingOfPatient } from '../../interactions/everything/operations.ts';
import { merge, unmerge } from '../../interactions/merging/operations.ts';
import { chartsDue, legalHold, purge, releaseHold } from '../../interactions/retention/operations.ts';
import { searchWholeCompartment } from '../../interactions/search/whole-compartment.ts';
import { compartmentRoutes } from '../compartment-routes.ts';
import type { OwnRoutes, Route } from '../routes.ts';

/** An operation of Concord's own. */
const concordOperation = (
  method: Route['method'],
  name: string,
  interaction: Route['interaction'],
  of: readonly string[] = ['{id}'],
): Route => ({
  method,
  path: [...of, `$${name}`],
  interaction,
  name: 'operation',
  definition: `https://concord.example/fhir/OperationDefinition/Patient-${name}`,
});

const matchPatient: Interaction = async (...asked) =>
  (await import('../../interactions/match/match.lazy.ts')).matchPatient(...asked);

const register: Interaction = async (...asked) =>
  (await import('../../interactions/registering/registering.lazy.ts')).register(...asked);

/** What can be asked of a patient alone. https://hl7.org/fhir/R4/patient-operations.html */
export const patientRoutes: OwnRoutes = {
  Patient: [
    { method: 'GET', path: ['$everything'], interaction: everythingOfOwn, name: 'operation' },
    { method: 'POST', path: ['$everything'], interaction: everythingOfOwn, name: 'operation' },
    { method: 'POST', path: ['$match'], interaction: matchPatient, name: 'operation' },
    { method: 'GET', path: ['{id}', '$everything'], interaction: everythingOfPatient, name: 'operation' },
    { method: 'POST', path: ['{id}', '$everything'], interaction: everythingOfPatient, name: 'operation' },
    concordOperation('POST', 'emergency-match', emergencyMatch, []),
    concordOperation('POST', 'break-glass', breakGlass),
    concordOperation('POST', 'register', register, []),
    concordOperation('POST', 'merge', merge),
    concordOperation('POST', 'unmerge', unmerge),
    concordOperation('GET', 'disclosures', disclosures),
    concordOperation('POST', 'record-disclosure', recordDisclosure),
    concordOperation('POST', 'suspend-disclosures', suspendDisclosures),
    concordOperation('POST', 'request-amendment', requestAmendment),
    concordOperation('POST', 'legal-hold', legalHold),
    concordOperation('POST', 'release-hold', releaseHold),
    concordOperation('POST', 'purge', purge),
    concordOperation('GET', 'purge-due', chartsDue, []),
    { method: 'GET', path: ['{id}', '*'], interaction: searchWholeCompartment, name: 'search-compartment' },
    { method: 'POST', path: ['{id}', '*', '_search'], interaction: searchWholeCompartment, name: 'search-compartment' },
    ...(['$grant-proxy', '$end-proxy', '$emancipate'] as const).map(
      (name): Route => ({
        method: 'POST',
        path: ['{id}', name],
        interaction: async (context, target) => {
          const { grantProxy, endProxy, emancipate } = await import('../../interactions/proxies/operations.lazy.ts');
          const operations = { '$grant-proxy': grantProxy, '$end-proxy': endProxy, $emancipate: emancipate };
          return operations[name](context, target);
        },
        name: 'operation',
        definition: `https://concord.example/fhir/OperationDefinition/Patient-${name.slice(1)}`,
      }),
    ),
    {
      method: 'GET',
      path: ['{id}', '$proxies'],
      interaction: async (context, target) =>
        (await import('../../interactions/proxies/operations.lazy.ts')).proxiesOfPatient(context, target),
      name: 'operation',
      definition: 'https://concord.example/fhir/OperationDefinition/Patient-proxies',
    },
    ...compartmentRoutes('Patient'),
  ],
};
