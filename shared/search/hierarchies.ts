/**
 * Types whose records make a strict hierarchy, by the search parameters whose references point at what is above. The first is meant where a
 * reference from elsewhere is searched with `:above` or `:below`. https://hl7.org/fhir/R4/references.html#circular
 */
export const hierarchies: Readonly<Record<string, readonly string[]>> = {
  CarePlan: ['part-of', 'based-on', 'replaces'],
  Encounter: ['part-of'],
  Location: ['partof'],
  Organization: ['partof'],
};
