// Where the published rules of US Core, and of R4's vital signs, are not taken as they stand.

/** By key: why a rule is not checked. */
export const ruleLeftOut: Readonly<Record<string, string>> = {
  'us-core-5': 'best practice only, and as published it warns of the very code that it asks for',
};

interface CorrectedRule {
  /** The rule is about this property instead of the choice that it stands at. */
  readonly child?: string;
  readonly expression: string;
  readonly reason: string;
}

/** By key: the expression that is evaluated instead of the published one, and why. */
export const ruleCorrected: Readonly<Record<string, CorrectedRule>> = {
  'us-core-1': {
    child: 'effectiveDateTime',
    expression: "$this.matches('^.{10}')",
    reason: 'the same: `$this is DateTime implies $this.toString().length() >= 10`',
  },
  'vs-1': {
    child: 'effectiveDateTime',
    expression: "$this.matches('^.{8}')",
    reason: 'the same: `($this as dateTime).toString().length() >= 8`',
  },
  'us-core-3': {
    child: 'valueQuantity',
    expression: "system.empty() or system = 'http://unitsofmeasure.org'",
    reason: 'as published at `value[x]` it looks for a value in the value and can never fail',
  },
  'us-core-4': {
    child: 'valueCodeableConcept',
    expression: "coding.system.empty() or coding.where(system = 'http://snomed.info/sct').exists()",
    reason: 'as published at `value[x]` it looks for a value in the value and can never fail',
  },
  'us-core-17': {
    expression: 'value.npi()',
    reason: 'the same: Luhn’s check digit',
  },
  'pd-1': {
    expression: 'telecom.exists() or endpoint.exists()',
    reason: 'as published it cannot be evaluated where there are several',
  },
  'us-core-13': {
    expression: 'practitioner.exists() or organization.exists() or healthcareService.exists() or location.exists()',
    reason: 'as published it says nothing where there is none of them',
  },
};
