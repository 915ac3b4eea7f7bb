import { careTeamInvariants } from '../fhir/generated/invariants/CareTeam.ts';
import { careTeamSchema } from '../fhir/generated/schemas/CareTeam.ts';
import { careTeamElements, careTeamSearchParameters } from '../fhir/generated/search-parameters/CareTeam.ts';
import { defineRecordType } from './define-record-type.ts';

/** Who takes part in a patient's care. https://hl7.org/fhir/R4/careteam.html */
export const careTeam = defineRecordType({
  name: 'CareTeam',
  schema: careTeamSchema,
  invariants: careTeamInvariants,
  searchParameters: careTeamSearchParameters,
  elements: careTeamElements,
  date: 'date',
});
