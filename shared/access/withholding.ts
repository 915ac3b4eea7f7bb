import type { Withholding, WithholdingReason } from '../store/seal.ts';

/** Grounds on which a licensed professional may withhold a record, and what is told of each. https://www.law.cornell.edu/cfr/text/45/164.524 (a)(3)(i) to (iii) */
export const withholdingGrounds = {
  danger: 'to see it is reasonably likely to endanger the life or physical safety of the patient or another person',
  'other-person': 'it refers to another person, to whom it is reasonably likely to cause substantial harm',
  representative:
    'to show it to who represents the patient is reasonably likely to cause substantial harm to the patient or another person',
} as const satisfies Readonly<Record<WithholdingReason, string>>;

/** The code system of the grounds. */
export const withholdingSystem = 'https://concord.example/fhir/CodeSystem/withholding-ground';

/** The denial as it is written to who asks: on what ground, and how it is reviewed. It tells nothing of the record. */
export const denialOf = ({ reason, review }: Pick<Withholding, 'reason' | 'review'>): string =>
  `This record is withheld for now (45 CFR 164.524(a)(3)): a licensed professional has determined that ${withholdingGrounds[reason]}. ` +
  `A licensed professional who had no part in that reviews it if you ask: ${review}. ` +
  'You may also complain to the organisation that keeps the record, or to the Secretary of Health and Human Services';
