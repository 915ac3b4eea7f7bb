import { practitionerRoleInvariants } from '../fhir/generated/invariants/PractitionerRole.ts';
import { practitionerRoleSchema } from '../fhir/generated/schemas/PractitionerRole.ts';
import {
  practitionerRoleElements,
  practitionerRoleSearchTable,
} from '../fhir/generated/search-parameters/PractitionerRole.ts';
import { defineRecordType } from './define-record-type.ts';
import { delegationRows } from './delegation-rows.ts';

/** What a practitioner does, where, and for which organisation. https://hl7.org/fhir/R4/practitionerrole.html */
export const practitionerRole = defineRecordType({
  name: 'PractitionerRole',
  schema: practitionerRoleSchema,
  invariants: practitionerRoleInvariants,
  searchTable: practitionerRoleSearchTable,
  elements: practitionerRoleElements,
  grantRows: delegationRows,
});
