// Every function needs to know how records of other types are found across patients, without the definitions of those types.

/** How records of a type are found across patients: an equal key, or the beginning of a folded text. */
export interface RegistryIndex {
  /** Search parameter whose values make the rows. */
  readonly parameter: string;
  /** Other parameters that select part of the same values, so that its rows serve them too. */
  readonly serves: readonly string[];
  /** Date parameter of instants by which the rows of one value are ordered. If it is the parameter itself, all rows are one such order. */
  readonly order?: string;
}

/** Parameters whose values have rows in the registry; in parentheses those that these rows serve too, behind @ what orders them. */
const registries: Readonly<Record<string, string>> = {
  ActivityDefinition: 'url',
  Appointment: 'actor(practitioner,location)@date date@date',
  CodeSystem: 'url name title identifier',
  Communication: 'recipient',
  ConceptMap: 'url',
  Device: 'identifier',
  Endpoint: 'name identifier organization',
  Group: 'identifier',
  HealthcareService: 'name identifier organization',
  Library: 'url',
  Location: 'name identifier organization',
  Measure: 'url',
  Medication: 'identifier code',
  Organization: 'name identifier',
  Patient: 'name(family,given) identifier birthdate telecom(phone,email)',
  PlanDefinition: 'url',
  Practitioner: 'name(family,given) identifier',
  PractitionerRole: 'practitioner organization identifier',
  Questionnaire: 'url name title identifier',
  RelatedPerson: 'name identifier',
  Schedule: 'actor identifier',
  Slot: 'schedule@start identifier',
  StructureDefinition: 'url',
  Subscription: 'status',
  Task: 'owner',
  ValueSet: 'url name title identifier',
};

/**
 * The date that orders a chart's records of a type, for types of which it may have so many that a search between two times should read no others.
 * Those that last longer than `longestUsual` have a row that says so.
 */
const bounded: Readonly<Record<string, string>> = {
  DiagnosticReport: 'date',
  MedicationAdministration: 'effective-time',
  Observation: 'date',
};

export const boundedBy = (type: string): string | undefined => bounded[type];

/** A day that is known no better, in milliseconds. */
export const longestUsual = 86_400_000;

/** The registry of a type; empty if it has none. */
export const registryOf = (type: string): readonly RegistryIndex[] =>
  [...(registries[type] ?? '').matchAll(/([\w-]+)(?:\(([\w,-]+)\))?(?:@([\w-]+))?/g)].map(
    ([, parameter = '', serves, order]) => ({
      parameter,
      serves: serves?.split(',') ?? [],
      ...(order === undefined ? {} : { order }),
    }),
  );
