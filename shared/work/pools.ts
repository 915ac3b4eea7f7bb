/** Whoever of an organisation is a nurse takes on such a task. https://hl7.org/fhir/R4/task-definitions.html#Task.performerType */
export const nurses: fhir4.CodeableConcept = {
  coding: [{ system: 'http://snomed.info/sct', code: '106292003', display: 'Professional nurse' }],
};

/** Privacy officers, who have no code of their own in SNOMED CT. */
export const privacyOfficers: fhir4.CodeableConcept = {
  coding: [{ system: 'https://concord.example/fhir/CodeSystem/work', code: 'privacy-officer' }],
  text: 'Privacy officer',
};
