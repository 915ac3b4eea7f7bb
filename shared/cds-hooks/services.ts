/** Hooks that are answered, each by the service of the same id. https://cds-hooks.hl7.org/hooks/ */
export const hooks = ['patient-view', 'order-select', 'order-sign'] as const;
export type Hook = (typeof hooks)[number];

export const hookNamed = (name: string | undefined): Hook | undefined => hooks.find((hook) => hook === name);

/** What a client may send along. It is looked at for its form and used for nothing: what is checked is read here, with the rights of the token. */
const prefetch = {
  patient: 'Patient/{{context.patientId}}',
  allergies: 'AllergyIntolerance?patient={{context.patientId}}',
  conditions: 'Condition?patient={{context.patientId}}',
  orders: 'MedicationRequest?patient={{context.patientId}}',
  statements: 'MedicationStatement?patient={{context.patientId}}',
  administrations: 'MedicationAdministration?patient={{context.patientId}}',
  observations: 'Observation?patient={{context.patientId}}',
} as const;

const usageRequirements =
  'An access token of this server as Bearer, whose rights decide what is looked at. Prefetch may be left out. Neither fhirServer nor fhirAuthorization is used, and nothing is called.';

const about: Readonly<Record<Hook, { readonly title: string; readonly description: string }>> = {
  'patient-view': {
    title: 'Order checks of a chart',
    description: 'Clashes among what a patient takes, and with allergies, a pregnancy and the kidneys',
  },
  'order-select': {
    title: 'Order checks of what is selected',
    description: 'What speaks against the medicines that are selected, and what was not checked',
  },
  'order-sign': {
    title: 'Order checks before signing',
    description: 'What speaks against the medicines that are to be signed, and what was not checked',
  },
};

/** What `GET /cds-services` answers. https://cds-hooks.hl7.org/2.0/#discovery */
export const discovery = {
  services: hooks.map((hook) => ({ hook, id: hook, ...about[hook], prefetch, usageRequirements })),
};
