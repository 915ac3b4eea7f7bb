import type { SearchParameter } from '../../fhir/search-parameter.ts';
import type { SearchLanguage } from '../language.ts';

/** Records that one condition may go through, one after the other: `a.b.c` and `_has:A:b:_has:C:d:e` are two. */
export const longestPath = 5;

/** What is known while a search is read. */
export interface ParseContext extends SearchLanguage {
  /** The server's base without a slash at its end. */
  readonly baseUrl: string;
  /** Milliseconds since 1970, for `ap` with a date. */
  readonly now: number;
  /** What a type can be searched by; undefined if this function does not know the type's parameters. */
  readonly parametersOf: (resourceType: string) => readonly SearchParameter[] | undefined;
  /** Whether records of other types can be looked up. */
  readonly joins: boolean;
  /**
   * Counts values.
   *
   * @throws RecordError `too-costly` if there are too many.
   */
  readonly spend: (values: number, name: string) => void;
}

/** A type's parameter of that name. */
export const parameterOf = (
  { parametersOf }: ParseContext,
  resourceType: string,
  code: string,
): SearchParameter | undefined => parametersOf(resourceType)?.find((parameter) => parameter.code === code);
