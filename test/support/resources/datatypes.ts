// Short forms for sample data.

export const ucum = 'http://unitsofmeasure.org';

export const coding = (code: string, system = 'http://example.org/codes'): fhir4.Coding => ({ system, code });

export const concept = (code: string, system?: string): fhir4.CodeableConcept => ({
  coding: [coding(code, system)],
  text: `${code} in words`,
});

export const reference = (literal: string): fhir4.Reference => ({ reference: literal });

export const quantity = (value: number, code: string): fhir4.Quantity => ({ value, unit: code, system: ucum, code });

export const identifier = (value: string): fhir4.Identifier => ({ system: 'http://example.org/ids', value });

export const extension = (valueString: string): fhir4.Extension => ({
  url: 'http://example.org/extension',
  valueString,
});

/** A primitive that is absent, with the reason. https://hl7.org/fhir/R4/extension-data-absent-reason.html */
export const absent: fhir4.Element = {
  extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/data-absent-reason', valueCode: 'unknown' }],
};
