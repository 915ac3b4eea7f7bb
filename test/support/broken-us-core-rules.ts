// What breaks the rules between elements of US Core's profiles.

type Json = Record<string, unknown>;

/** Sets what stands at a path such as `agent[0].onBehalfOf`, or removes it. */
export const changed = (resource: Json, path: string, value: unknown): Json => {
  const copy = structuredClone(resource);
  const steps = path.split(/[.[\]]+/).filter((step) => step !== '');
  const last = steps.pop() ?? '';
  let at: Json = copy;
  for (const step of steps) at = at[step] as Json;
  if (value === undefined) delete at[last];
  else at[last] = value;
  return copy;
};

/** For each rule of the profiles a change that breaks it, and the element that is named then. */
export const brokenRules: readonly [key: string, profile: string, path: string, value: unknown, expression: string][] =
  [
    [
      'us-core-1',
      'us-core-observation-clinical-result',
      'effectiveDateTime',
      '2024-05',
      'Observation.effectiveDateTime',
    ],
    ['us-core-2', 'us-core-observation-clinical-result', 'valueQuantity', undefined, 'Observation'],
    ['us-core-2', 'us-core-observation-screening-assessment', 'valueQuantity', undefined, 'Observation'],
    ['us-core-2', 'us-core-observation-sexual-orientation', 'valueCodeableConcept', undefined, 'Observation'],
    [
      'us-core-3',
      'us-core-observation-lab',
      'valueQuantity.system',
      'http://concord.test/units',
      'Observation.valueQuantity',
    ],
    [
      'us-core-6',
      'us-core-documentreference',
      'content[0].attachment.data',
      undefined,
      'DocumentReference.content[0].attachment',
    ],
    ['us-core-6', 'us-core-patient', 'name', [{ text: 'Ann Sample' }], 'Patient.name[0]'],
    ['us-core-7', 'us-core-procedure', 'performedDateTime', undefined, 'Procedure'],
    ['us-core-8', 'us-core-diagnosticreport-lab', 'effectiveDateTime', undefined, 'DiagnosticReport'],
    ['us-core-9', 'us-core-diagnosticreport-lab', 'issued', undefined, 'DiagnosticReport'],
    ['us-core-10', 'us-core-diagnosticreport-note', 'effectiveDateTime', undefined, 'DiagnosticReport'],
    ['us-core-13', 'us-core-practitionerrole', 'practitioner', undefined, 'PractitionerRole'],
    ['pd-1', 'us-core-practitionerrole', 'telecom', undefined, 'PractitionerRole'],
    ['us-core-14', 'us-core-relatedperson', 'name', undefined, 'RelatedPerson'],
    ['us-core-15', 'us-core-coverage', 'identifier[0].type.coding[0].code', 'PN', 'Coverage'],
    ['us-core-16', 'us-core-practitioner', 'identifier[0].value', '124531959', 'Practitioner.identifier[0]'],
    ['us-core-17', 'us-core-organization', 'identifier[0].value', '1245319598', 'Organization.identifier[0]'],
    ['us-core-18', 'us-core-organization', 'identifier[1].value', '12E4567890', 'Organization.identifier[1]'],
    ['us-core-19', 'us-core-organization', 'identifier[2].value', '1234', 'Organization.identifier[2]'],
    ['us-core-20', 'us-core-medicationdispense', 'whenHandedOver', undefined, 'MedicationDispense'],
    ['us-core-21', 'us-core-medicationrequest', 'requester', undefined, 'MedicationRequest'],
    ['provenance-1', 'us-core-provenance', 'agent[0].onBehalfOf', undefined, 'Provenance.agent[0]'],
    ['vs-1', 'us-core-bmi', 'effectiveDateTime', '2024-05', 'Observation.effectiveDateTime'],
    ['vs-2', 'us-core-bmi', 'valueQuantity', undefined, 'Observation'],
    ['vs-3', 'us-core-blood-pressure', 'component[1].valueQuantity', undefined, 'Observation.component[1]'],
  ];
