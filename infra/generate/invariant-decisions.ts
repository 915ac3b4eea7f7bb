// Where the published invariants of R4 are not taken as they stand. A rule that refuses valid data is worse than one that is missing.

/** By key: why a rule is not checked. */
export const leftOut: Readonly<Record<string, string>> = {
  'ele-1': 'the schema refuses empty elements',
  'txt-1': 'the schema checks the narrative',
  'txt-2': 'the schema checks the narrative',
  'ppc-2': "as published it looks for a code system named 'something' and can never fail",
  'ppc-3': "as published it looks for a code system named 'something' and can never fail",
  'ppc-4': "as published it looks for a code system named 'something' and can never fail",
  'ppc-5': "as published it looks for a code system named 'something' and can never fail",
  'cid-0': 'as published it is about an element `name`, which the type does not have',
  'evv-1': 'not a rule of R4',
};

/** By key: the expression that is compiled instead of the published one, and why. */
export const corrected: Readonly<Record<string, { readonly expression: string; readonly reason: string }>> = {
  'con-3': {
    expression:
      "clinicalStatus.exists() or verificationStatus.coding.where(system='http://terminology.hl7.org/CodeSystem/condition-ver-status' and code = 'entered-in-error').exists() or category.coding.where(system='http://terminology.hl7.org/CodeSystem/condition-category' and code='problem-list-item').empty()",
    reason: 'as published it compares a CodeableConcept with a text, and warns of every category',
  },
  'que-13': {
    expression: '(repeats.exists() and repeats) or initial.count() <= 1',
    reason: 'as published it says nothing where `repeats` is absent, which means false',
  },
  'vsd-9': {
    expression: 'code.exists() or (abstract.exists() and abstract)',
    reason: 'as published it says nothing where `abstract` is absent, which means false',
  },
  'que-7': {
    expression: "operator = 'exists' implies (answer is boolean)",
    reason: 'as published it asks for a FHIRPath Boolean, which no element is',
  },
};

/** By key: rules that are written in TypeScript rather than compiled. */
export const writtenByHand: Readonly<Record<string, string>> = {
  'dom-2': 'by hand',
  'dom-3': 'by hand: any text that reads `#id` counts as a reference',
  'dom-4': 'by hand',
  'dom-5': 'by hand',
  'dom-6': 'by hand: told by `$validate`, and not beside every record',
  'ref-1': 'by hand',
};
