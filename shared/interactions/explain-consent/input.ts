/** `Consent/$explain` */
export const explainConsentInput = {
  patient: { type: 'Reference', min: 1 },
  organization: { type: 'Reference', min: 1 },
} as const;
