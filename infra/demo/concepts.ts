/** Makes concepts of one code system, with its display as their text. */
const conceptsOf =
  (system: string) =>
  (code: string, display: string): fhir4.CodeableConcept => ({ coding: [{ system, code, display }], text: display });

export const snomed = conceptsOf('http://snomed.info/sct');
export const loinc = conceptsOf('http://loinc.org');
export const rxNorm = conceptsOf('http://www.nlm.nih.gov/research/umls/rxnorm');
export const cvx = conceptsOf('http://hl7.org/fhir/sid/cvx');

/** A concept of one of HL7's own code systems, such as `condition-clinical`. */
export const hl7 = (system: string, code: string, display?: string): fhir4.CodeableConcept => ({
  coding: [
    {
      system: `http://terminology.hl7.org/CodeSystem/${system}`,
      code,
      ...(display === undefined ? {} : { display }),
    },
  ],
});

/** A quantity in a unit of UCUM. */
export const quantity = (value: number, unit: string, code = unit): fhir4.Quantity => ({
  value,
  unit,
  system: 'http://unitsofmeasure.org',
  code,
});

export const usDollars = (value: number): fhir4.Money => ({ value: Math.round(value * 100) / 100, currency: 'USD' });
