import type { InvariantsByType } from '../fhir/invariant.ts';
import type { Resource } from '../fhir/resource.ts';
import type { ResourceSchema } from '../fhir/resource-schema.ts';
import type { SearchParameter } from '../fhir/search-parameter.ts';
import { dateInterval } from '../search/date-range.ts';
import { homeParameterOf, typesOfPatients } from './homes.ts';
import { isDirectory, type Subject, subjectOf } from './subjects.ts';

/** How records of a type are found across patients: an equal key, or the beginning of a folded text. */
export interface RegistryIndex {
  /** Search parameter whose values make the rows. */
  readonly parameter: string;
  /** Other parameters that select part of the same values, so that its rows serve them too. */
  readonly serves?: readonly string[];
}

/** Time of an actor that a record holds: nobody else can have it. */
export interface HeldTime {
  /** Reference to the person, place or thing, as the record has it. */
  readonly actor: string;
  /** Milliseconds since 1970. */
  readonly from: number;
  /** The first millisecond that is free again. */
  readonly to: number;
  /** FHIRPath expression of what names the actor. */
  readonly expression: string;
}

export interface RecordTypeDefinition {
  readonly name: string;
  readonly schema: ResourceSchema;
  readonly invariants: InvariantsByType;
  readonly searchParameters: readonly SearchParameter[];
  /** Which of its elements are in summaries, and which are mandatory: see shared/search/project.ts. */
  readonly elements: string;
  /** Date parameter that orders the type's records within a chart; the time of creation where there is none. */
  readonly date?: string;
  readonly registry?: readonly RegistryIndex[];
  /** Written by Concord alone: clients may only read and search. */
  readonly readOnly?: boolean;
  /** Which time of whom a record of this type holds. */
  readonly heldTime?: (resource: Resource) => readonly HeldTime[];
}

/** All that Concord knows of a record type. Handlers, routes, search and the capability statement derive from it. */
export interface RecordType extends RecordTypeDefinition {
  readonly subject: Subject;
  readonly registry: readonly RegistryIndex[];
  readonly readOnly: boolean;
  /** Kept by the network as a whole and readable by everybody who is signed in. */
  readonly directory: boolean;
  /** References to the patients whose record it is, first the one whose chart is its home. */
  readonly patientsOf: (resource: Resource) => string[];
  /** Clinical date in milliseconds since 1970, if the record has one. */
  readonly dateOf: (resource: Resource) => number | undefined;
  /** Its search parameter of this name. */
  readonly parameter: (code: string) => SearchParameter | undefined;
}

/** Completes a definition with what follows from it. */
export const defineRecordType = (definition: RecordTypeDefinition): RecordType => {
  const byCode = new Map(definition.searchParameters.map((parameter) => [parameter.code, parameter]));
  const patient = typesOfPatients.has(definition.name) ? byCode.get(homeParameterOf(definition.name)) : undefined;
  const date = definition.date === undefined ? undefined : byCode.get(definition.date);
  if (definition.date !== undefined && !date) throw new Error(`${definition.name} has no parameter ${definition.date}`);
  return {
    ...definition,
    registry: definition.registry ?? [],
    readOnly: definition.readOnly ?? false,
    subject: subjectOf(definition.name),
    directory: isDirectory(definition.name),
    patientsOf: (resource) => (patient?.values(resource) ?? []).flatMap(({ value }) => referenceOf(value)),
    dateOf: (resource) =>
      date
        ?.values(resource)
        .map(({ value }) => startOf(value))
        .find((start) => start !== undefined),
    parameter: (code) => byCode.get(code),
  };
};

const referenceOf = (value: unknown): string[] => {
  const reference = (value as fhir4.Reference).reference;
  return reference === undefined ? [] : [reference];
};

/** Start of a date, a Period or the bounds of a Timing. */
const startOf = (value: unknown): number | undefined => {
  if (typeof value === 'string') return dateInterval(value)?.start;
  const { start, repeat } = value as { start?: string; repeat?: { boundsPeriod?: { start?: string } } };
  const text = start ?? repeat?.boundsPeriod?.start;
  return text === undefined ? undefined : dateInterval(text)?.start;
};
