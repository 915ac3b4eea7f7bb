import { claimInvariants } from '../fhir/generated/invariants/Claim.ts';
import { claimSchema } from '../fhir/generated/schemas/Claim.ts';
import { claimElements, claimSearchTable } from '../fhir/generated/search-parameters/Claim.ts';
import { defineRecordType } from './define-record-type.ts';

/** What a provider asks a payer for. https://hl7.org/fhir/R4/claim.html */
export const claim = defineRecordType({
  name: 'Claim',
  schema: claimSchema,
  invariants: claimInvariants,
  searchTable: claimSearchTable,
  elements: claimElements,
  date: 'created',
});
