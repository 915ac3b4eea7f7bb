import { resourceSearchTable } from '../fhir/generated/search-parameters/Resource.ts';
import type { Resource } from '../fhir/resource.ts';
import { type SearchParameter, searchParametersOf } from '../fhir/search-parameter.ts';
import { homeParameterOf, typesOfPatients } from './homes.ts';
import { boundedBy, type RegistryIndex, registryOf } from './registries.ts';
import { isDirectory, type Subject, subjectOf } from './subjects.ts';

/** What a search knows of a type of records: all but its schema and its rules, so that a function can know it of types that it does not serve. */
export interface SearchType {
  readonly name: string;
  readonly searchParameters: readonly SearchParameter[];
  /** Which of its elements are in summaries, and which are mandatory: see shared/search/project.ts. */
  readonly elements: string;
  readonly subject: Subject;
  /** How its records are found across patients. */
  readonly registry: readonly RegistryIndex[];
  /** Date parameter by which a search in a chart is bounded: see `boundedBy`. */
  readonly boundedBy: string | undefined;
  /** Kept by the network as a whole and readable by everybody who is signed in. */
  readonly directory: boolean;
  /** References to the patients whose record it is, first the one whose chart is its home. */
  readonly patientsOf: (resource: Resource) => string[];
  /** Its search parameter of this name. */
  readonly parameter: (code: string) => SearchParameter | undefined;
}

/** What can be searched in records of every type. https://hl7.org/fhir/R4/search.html#all */
export const commonSearchParameters: readonly SearchParameter[] = searchParametersOf('Resource', resourceSearchTable);

/**
 * @param table - the type's search parameters, as generated (`observationSearchTable`).
 * @param elements - the type's elements in summaries, as generated (`observationElements`).
 */
export const searchTypeOf = (name: string, table: string, elements: string): SearchType => {
  const searchParameters = [...commonSearchParameters, ...searchParametersOf(name, table)];
  const byCode = new Map(searchParameters.map((parameter) => [parameter.code, parameter]));
  const patient = typesOfPatients.has(name) ? byCode.get(homeParameterOf(name)) : undefined;
  return {
    name,
    searchParameters,
    elements,
    subject: subjectOf(name),
    registry: registryOf(name),
    boundedBy: boundedBy(name),
    directory: isDirectory(name),
    patientsOf: (resource) => (patient?.values(resource) ?? []).flatMap(({ value }) => referenceOf(value)),
    parameter: (code) => byCode.get(code),
  };
};

const referenceOf = (value: unknown): string[] => {
  const reference = (value as fhir4.Reference).reference;
  return reference === undefined ? [] : [reference];
};
