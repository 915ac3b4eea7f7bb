import { careTeamInvariants } from '../fhir/generated/invariants/CareTeam.ts';
import { careTeamSchema } from '../fhir/generated/schemas/CareTeam.ts';
import { careTeamElements, careTeamSearchTable } from '../fhir/generated/search-parameters/CareTeam.ts';
import { defineRecordType } from './define-record-type.ts';

/** Who takes part in a patient's care. https://hl7.org/fhir/R4/careteam.html */
export const careTeam = defineRecordType({
  name: 'CareTeam',
  schema: careTeamSchema,
  invariants: careTeamInvariants,
  searchTable: careTeamSearchTable,
  elements: careTeamElements,
  date: 'date',
});
