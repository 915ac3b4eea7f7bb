import { addressesIn } from '../fhir/addresses.ts';
import type { Resource } from '../fhir/resource.ts';

// What is a substance-use programme is known by names: `Type/id`, and `?identifier=system|value` of each identifier that it bears.

/** The name of a programme by an identifier of it. */
export const nameByIdentifier = ({ system = '', value = '' }: fhir4.Identifier): string =>
  `?identifier=${system}|${value}`;

/** The name that a programme's row stands for: `Type/id`, or what follows it. */
export const nameInRow = (row: string): string => /\?.*$/s.exec(row)?.[0] ?? row;

/** All identifiers of others that something holds, as references and contained resources do: not the own ones of what it is. */
const identifiersIn = (element: unknown, isOwn: boolean): fhir4.Identifier[] =>
  typeof element !== 'object' || element === null
    ? []
    : Object.entries(element).flatMap(([key, value]: [string, unknown]) =>
        key === 'identifier'
          ? isOwn
            ? []
            : ([value].flat() as fhir4.Identifier[])
          : identifiersIn(value, Array.isArray(element) && isOwn),
      );

/** Whether a resource names one of these by an identifier: without a reference, or in what it contains. Pure. */
export const identifiesProgramme = (resource: Resource | undefined, programmes: ReadonlySet<string>): boolean =>
  programmes.size > 0 && identifiersIn(resource, true).some((each) => programmes.has(nameByIdentifier(each)));

/** Whether a resource names one of these anywhere, by a reference to whatever server or by an identifier. Pure. */
export const namesProgramme = (resource: Resource | undefined, programmes: ReadonlySet<string>): boolean =>
  programmes.size > 0 &&
  (addressesIn(resource).some(({ name }) => programmes.has(name)) || identifiesProgramme(resource, programmes));
