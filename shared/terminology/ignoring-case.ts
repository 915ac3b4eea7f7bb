/**
 * Code systems whose codes mean the same in either case. Elsewhere case counts, as in FHIR's own codes, UCUM and identifiers.
 * https://hl7.org/fhir/R4/search.html#token
 */
export const ignoringCase: ReadonlySet<string> = new Set([
  'http://loinc.org',
  'http://hl7.org/fhir/sid/icd-10',
  'http://hl7.org/fhir/sid/icd-10-cm',
]);
