import { organizationInvariants } from '../fhir/generated/invariants/Organization.ts';
import { organizationSchema } from '../fhir/generated/schemas/Organization.ts';
import { organizationElements, organizationSearchTable } from '../fhir/generated/search-parameters/Organization.ts';
import { defineRecordType } from './define-record-type.ts';
import { programmeRows } from './programme-rows.ts';

/** A provider, a department, a payer. https://hl7.org/fhir/R4/organization.html */
export const organization = defineRecordType({
  name: 'Organization',
  schema: organizationSchema,
  invariants: organizationInvariants,
  searchTable: organizationSearchTable,
  elements: organizationElements,
  networkRows: programmeRows,
});
