import { patientCompartmentDefinition } from '../../../infra/generate/fhirpath/definitions.ts';
import { definitionsOf, elementsOf, placeOf, type WorldRecord } from './evaluate.ts';

/** By type, the parameters by which a record is in a compartment. */
type Compartment = ReadonlyMap<string, readonly string[]>;

const compartment = (text: string): Compartment =>
  new Map(
    text
      .trim()
      .split(/\n\s*/)
      .map((line) => {
        const [type = '', ...codes] = line.split(' ');
        return [type, codes];
      }),
  );

/** Those that the definitions at hand do not have are copied from the specification's pages, without rare types. */
const compartments: Readonly<Record<string, Compartment>> = {
  Patient: new Map(
    patientCompartmentDefinition()
      .resource.filter(({ code }) => code !== 'Task') // which R4 does not have in it
      .flatMap(({ code, param }) => (param ? [[code, param]] : [])),
  ),
  // https://hl7.org/fhir/R4/compartmentdefinition-encounter.html
  Encounter: compartment(`
    Condition encounter
    Observation encounter
    Procedure encounter
    ServiceRequest encounter
    MedicationRequest encounter
    DiagnosticReport encounter
    ClinicalImpression encounter
    Composition encounter
    DocumentReference encounter
    QuestionnaireResponse encounter
    MedicationAdministration context
    ChargeItem context
    Communication encounter
  `),
  // https://hl7.org/fhir/R4/compartmentdefinition-practitioner.html
  Practitioner: compartment(`
    Observation performer
    Condition asserter
    Encounter practitioner participant
    Procedure performer
    ServiceRequest performer requester
    DiagnosticReport performer
    MedicationRequest requester
    PractitionerRole practitioner
    Schedule actor
    Immunization performer
    AllergyIntolerance recorder asserter
    Appointment actor
    Flag author
  `),
};

/** Types that have a compartment. */
export const compartmentOwners = Object.keys(compartments);

/** Types of the records in the compartment of a type. */
export const typesInCompartment = (owner: string): readonly string[] => [...(compartments[owner]?.keys() ?? [])];

/**
 * Whether a record is in a compartment. https://hl7.org/fhir/R4/compartmentdefinition.html
 *
 * @param place - `Type/id` of the record whose compartment it is.
 */
export const isInCompartment = (record: WorldRecord, place: string, baseUrl: string): boolean => {
  const { resourceType, id } = record.resource;
  if (place === `${resourceType}/${id}`) return true;
  const codes = compartments[place.split('/')[0] ?? '']?.get(resourceType) ?? [];
  return definitionsOf(resourceType)
    .filter(({ code }) => codes.includes(code))
    .some((definition) => elementsOf(record, definition).some((element) => placeOf(element, { baseUrl }) === place));
};
