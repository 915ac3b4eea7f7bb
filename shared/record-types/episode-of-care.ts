import { episodeOfCareInvariants } from '../fhir/generated/invariants/EpisodeOfCare.ts';
import { episodeOfCareSchema } from '../fhir/generated/schemas/EpisodeOfCare.ts';
import { episodeOfCareElements, episodeOfCareSearchTable } from '../fhir/generated/search-parameters/EpisodeOfCare.ts';
import { defineRecordType } from './define-record-type.ts';

/** The time during which an organisation is responsible for a condition. https://hl7.org/fhir/R4/episodeofcare.html */
export const episodeOfCare = defineRecordType({
  name: 'EpisodeOfCare',
  schema: episodeOfCareSchema,
  invariants: episodeOfCareInvariants,
  searchTable: episodeOfCareSearchTable,
  elements: episodeOfCareElements,
  date: 'date',
});
