// How tests read a chart that was made.

export const resourcesOf = ({ entry = [] }: fhir4.Bundle): fhir4.FhirResource[] =>
  entry.flatMap(({ resource }) => (resource ? [resource as fhir4.FhirResource] : []));

export const ofType = <T extends fhir4.FhirResource['resourceType']>(
  chart: fhir4.Bundle,
  type: T,
): Extract<fhir4.FhirResource, { resourceType: T }>[] =>
  resourcesOf(chart).filter(
    (resource): resource is Extract<fhir4.FhirResource, { resourceType: T }> => resource.resourceType === type,
  );

export const patientOf = (chart: fhir4.Bundle): fhir4.Patient => {
  const [patient] = ofType(chart, 'Patient');
  if (!patient) throw new Error('The chart has no Patient');
  return patient;
};

export const byReference = ({ entry = [] }: fhir4.Bundle): ReadonlyMap<string, fhir4.FhirResource> =>
  new Map(
    entry.flatMap(({ fullUrl, resource }) => (fullUrl && resource ? [[fullUrl, resource as fhir4.FhirResource]] : [])),
  );

/** The first code of a concept. */
export const codeOf = (concept: fhir4.CodeableConcept | undefined): string | undefined => concept?.coding?.[0]?.code;

/** Age of the chart's patient at a time, in years. */
export const ageIn = (chart: fhir4.Bundle, time = ''): number =>
  (Date.parse(time) - Date.parse(patientOf(chart).birthDate ?? '')) / (365.25 * 86_400_000);
