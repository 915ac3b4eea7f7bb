import type { FhirServer } from './fhir-server.ts';
import { admin } from './records.ts';

// Consents as patients give them, and the organisations that these name.

export const hl7 = 'http://terminology.hl7.org/CodeSystem/';

/** @param system - one of HL7's terminology, by its last part. */
export const concept = (system: string, code: string): fhir4.CodeableConcept => ({
  coding: [{ system: `${hl7}${system}`, code }],
});

/** @param reference - of who receives what a provision is about. */
export const recipient = (reference: string): fhir4.ConsentProvisionActor => ({
  role: concept('v3-ParticipationType', 'IRCP'),
  reference: { reference },
});

/**
 * A Consent that opens to Lakeside.
 *
 * @param patient - reference.
 * @param provision - what the root provision says besides, or otherwise.
 */
export const consentBody = (
  patient: string,
  provision: fhir4.ConsentProvision = {},
  elements: Partial<fhir4.Consent> = {},
): fhir4.Consent => ({
  resourceType: 'Consent',
  status: 'active',
  scope: concept('consentscope', 'patient-privacy'),
  category: [concept('consentcategorycodes', 'infa')],
  patient: { reference: patient },
  policyRule: concept('v3-ActCode', 'OPTIN'),
  provision: { actor: [recipient('Organization/lakeside')], ...provision },
  ...elements,
});

/** A Consent that opens nothing and denies what a provision names. */
export const denial = (
  patient: string,
  provision: fhir4.ConsentProvision,
  elements: Partial<fhir4.Consent> = {},
): fhir4.Consent => {
  const { policyRule: _opens, ...consent } = consentBody(patient);
  const policy = [{ uri: 'https://www.ecfr.gov/current/title-45/section-164.522' }];
  return { ...consent, policy, provision: { type: 'deny', ...provision }, ...elements };
};

/** For payment or operations. */
export const asPayer: fhir4.Coding[] = ['HPAYMT', 'HOPERAT'].map((code) => ({
  system: `${hl7}v3-ActReason`,
  code,
}));

/** Puts organisations into the directory, each by an administrator of its own. */
export const organizationsThere = async (server: FhirServer, ids: readonly string[]): Promise<void> => {
  for (const id of ids)
    await server.put(
      `Organization/${id}`,
      { resourceType: 'Organization', id, name: id },
      { as: { ...admin, organization: id } },
    );
};
