import { compileConsent } from '../access/compile-consent.ts';
import { consentInvariants } from '../fhir/generated/invariants/Consent.ts';
import { consentSchema } from '../fhir/generated/schemas/Consent.ts';
import { consentElements, consentSearchTable } from '../fhir/generated/search-parameters/Consent.ts';
import { defineRecordType } from './define-record-type.ts';

/** What a patient permits and forbids. https://hl7.org/fhir/R4/consent.html */
export const consent = defineRecordType({
  name: 'Consent',
  schema: consentSchema,
  invariants: consentInvariants,
  searchTable: consentSearchTable,
  elements: consentElements,
  date: 'date',
  directiveOf: (resource, baseUrl) => compileConsent(resource as unknown as fhir4.Consent, baseUrl),
});
