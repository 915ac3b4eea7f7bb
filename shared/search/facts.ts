import type { Resource } from '../fhir/resource.ts';
import type { Chain, Has, Hierarchy, InList } from './search-query.ts';
import type { Units } from './units.ts';

/** What must be looked up in other records before a record can be matched. */
export type Lookup = Chain | Has | Hierarchy | InList;

/**
 * What lookups have found. A record is named `Type/id`; behind a chain also by its canonical address, both with and without its business
 * version, since a reference may name either.
 *
 * - `Chain`: records that meet the conditions of their type.
 * - `Has`: records of the searched type that a record which meets the conditions refers to.
 * - `Hierarchy`: the record itself, and what is above or below it.
 * - `InList`: what stands in the lists.
 */
export type Lookups = ReadonlyMap<Lookup, { has(reference: string): boolean }>;

/** What code systems and value sets say. Loaded before matching, so that nothing waits in between. */
export interface TerminologyFacts {
  /** The codes of a value set; without a system, whether any system's code of that name is in it. Undefined if it is not known. */
  readonly members: (valueSet: string) => { has(system: string | undefined, code: string): boolean } | undefined;
  /** Codes that subsume this one, without itself; without a system, those of every system that has the code. */
  readonly ancestors: (system: string | undefined, code: string) => { has(code: string): boolean };
  /** The systems that the binding of an element of the type `code` implies for a code, by what selects the element; none if it is not told. */
  readonly systemsOf: (resourceType: string, parameter: string, code: string) => readonly string[];
}

/** What a search must know of a record beside its body. */
export interface RecordFacts {
  /** Empty for a resource within another that has none. */
  readonly id: string;
  /** When this version was stored; a number is in milliseconds since 1970. Undefined for a resource within another. */
  readonly lastUpdated: Date | number | undefined;
  /** The server's base without a slash at its end: references inside it count as relative. */
  readonly baseUrl: string;
  readonly lookups?: Lookups;
  readonly terminology?: TerminologyFacts;
  /** Where `comparesUnits`. */
  readonly units?: Units;
  /** The record that holds this one, if it is contained. */
  readonly container?: Resource;
}
