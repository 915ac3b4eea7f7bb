/** What addresses of US Core's profiles begin with. */
export const usCoreBase = 'http://hl7.org/fhir/us/core/StructureDefinition/';
