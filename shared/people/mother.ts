import type { Resource } from '../fhir/resource.ts';
import { nameToUse } from './temporary-name.ts';

/** On a RelatedPerson: the Patient who is the same person. R4 has no element for it but one of that Patient. */
export const samePatientUrl = 'https://concord.example/fhir/StructureDefinition/related-person-patient';

/**
 * A newborn's mother, as she stands in the newborn's chart: by reference and by the name to use, and nothing else of her.
 * https://hl7.org/fhir/R4/relatedperson.html
 */
export const motherOf = (newborn: string, mother: string, patient: fhir4.Patient): Resource => {
  const name = nameToUse(patient);
  const { use, text, family, given } = name ?? {};
  const shown = { ...(use && { use }), ...(text && { text }), ...(family && { family }), ...(given && { given }) };
  const resource: fhir4.RelatedPerson = {
    resourceType: 'RelatedPerson',
    extension: [{ url: samePatientUrl, valueReference: { reference: `Patient/${mother}` } }],
    active: true,
    patient: { reference: `Patient/${newborn}` },
    relationship: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-RoleCode', code: 'MTH' }] }],
    ...(Object.keys(shown).length > 0 && { name: [shown] }),
  };
  return resource as unknown as Resource;
};
