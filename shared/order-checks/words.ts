/** What is checked of an order. */
export const checkKinds = ['drug-allergy', 'drug-drug', 'duplicate', 'pregnancy', 'renal'] as const;
export type CheckKind = (typeof checkKinds)[number];

/**
 * Why something was not checked, in the same words for everybody: what a reader may not see is as if it were not there, so `not-shown` stands in every answer
 * and tells nothing of this chart.
 */
export const notCheckedWords = {
  'no-pack': 'Not checked: there is no knowledge to check with.',
  'no-rules': 'Not checked: the pack has no rules of this kind.',
  'order-unknown': 'Not checked: the medicine that is ordered, or a part of it, is not known to the pack.',
  'other-medicine-unknown': 'Not checked against a current medicine that, whole or in part, is not known to the pack.',
  'no-other-medicines': 'Not checked: no current medicine is recorded.',
  'allergen-unknown': 'Not checked against an allergy whose substance is not known to the pack.',
  'no-allergies-told': 'Not checked: neither an allergy to a medicine nor that there is none is recorded.',
  'pregnancy-unknown': 'Not checked: whether the patient is pregnant is not known.',
  'kidneys-unknown': 'Not checked: there is no recent value of how the kidneys work.',
  'kidneys-unclear': 'Not checked: the latest value of how the kidneys work cannot be compared.',
  'other-order': 'Not checked: an order that is not one of a medicine.',
  'not-shown': 'Records that are elsewhere, or not for the reader of this, were not looked at.',
} as const;
export type NotCheckedCode = keyof typeof notCheckedWords;

/** Something that no answer was found for. Never to be taken for "no objection". */
export interface NotChecked {
  readonly kind: CheckKind;
  readonly code: NotCheckedCode;
  readonly text: string;
  /** `Type/id` of the record that it is about, if there is one. */
  readonly record?: string;
}

export const notChecked = (kind: CheckKind, code: NotCheckedCode, record?: string): NotChecked => ({
  kind,
  code,
  text: notCheckedWords[code],
  ...(record === undefined ? {} : { record }),
});
