import { claimInvariants } from '../fhir/generated/invariants/Claim.ts';
import { claimSchema } from '../fhir/generated/schemas/Claim.ts';
import { claimElements, claimSearchTable } from '../fhir/generated/search-parameters/Claim.ts';
import { dateInterval } from '../search/date-range.ts';
import { defineRecordType } from './define-record-type.ts';

/** A claim that is older was sent when it was made, and is a fact by now: it comes with a chart's history. In milliseconds. */
const longestOnItsWay = 30 * 24 * 60 * 60 * 1_000;

/** What a provider asks a payer for. https://hl7.org/fhir/R4/claim.html */
export const claim = defineRecordType({
  name: 'Claim',
  schema: claimSchema,
  invariants: claimInvariants,
  searchTable: claimSearchTable,
  elements: claimElements,
  date: 'created',
  asksPayer: (resource, now) => {
    const { status, created } = resource as unknown as fhir4.Claim;
    return status === 'active' && (dateInterval(created)?.end ?? now) >= now - longestOnItsWay;
  },
});
