import { isDeepStrictEqual } from 'node:util';
import { compileConsent } from '../access/compile-consent.ts';
import { acceptanceIn } from '../access/referral.ts';
import { restrictionRequest } from '../access/restriction-request.ts';
import { consentInvariants } from '../fhir/generated/invariants/Consent.ts';
import { consentSchema } from '../fhir/generated/schemas/Consent.ts';
import { consentElements, consentSearchTable } from '../fhir/generated/search-parameters/Consent.ts';
import type { Resource } from '../fhir/resource.ts';
import { directiveChanges } from '../store/directive-rows.ts';
import { defineRecordType } from './define-record-type.ts';
import { referralRows } from './referral-rows.ts';

/** All but the status, and what each version says of itself. */
const saidBesides = ({ meta, ...elements }: Partial<fhir4.Consent>) => {
  const none = { id: undefined, status: undefined };
  return { ...elements, ...none, meta: { ...meta, versionId: undefined, lastUpdated: undefined } };
};

const acceptance = referralRows(acceptanceIn);

/** What a patient permits and forbids. https://hl7.org/fhir/R4/consent.html */
export const consent = defineRecordType({
  name: 'Consent',
  schema: consentSchema,
  invariants: consentInvariants,
  searchTable: consentSearchTable,
  elements: consentElements,
  date: 'date',
  raises: restrictionRequest,
  isWithdrawal: (before: Resource, next: Resource) =>
    (next as unknown as fhir4.Consent).status === 'inactive' &&
    isDeepStrictEqual(saidBesides(before as Partial<fhir4.Consent>), saidBesides(next as Partial<fhir4.Consent>)),
  accessRows: (write, writer) => {
    const consent = write.next.resource as fhir4.Consent | undefined;
    const directive = directiveChanges(write, consent && compileConsent(consent, writer.baseUrl));
    const referral = acceptance(write, writer);
    return {
      puts: [...directive.puts, ...referral.puts],
      removes: [...directive.removes, ...referral.removes],
    };
  },
});
