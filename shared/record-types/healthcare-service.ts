import { healthcareServiceInvariants } from '../fhir/generated/invariants/HealthcareService.ts';
import { healthcareServiceSchema } from '../fhir/generated/schemas/HealthcareService.ts';
import {
  healthcareServiceElements,
  healthcareServiceSearchTable,
} from '../fhir/generated/search-parameters/HealthcareService.ts';
import { defineRecordType } from './define-record-type.ts';
import { programmeRows } from './programme-rows.ts';

/** A service that an organisation offers at a place. https://hl7.org/fhir/R4/healthcareservice.html */
export const healthcareService = defineRecordType({
  name: 'HealthcareService',
  schema: healthcareServiceSchema,
  invariants: healthcareServiceInvariants,
  searchTable: healthcareServiceSearchTable,
  elements: healthcareServiceElements,
  networkRows: programmeRows,
});
