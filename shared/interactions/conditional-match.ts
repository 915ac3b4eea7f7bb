import { RecordError } from '../errors.ts';
import type { FhirRequest } from '../http/fhir-request.ts';
import type { UniqueChange } from '../store/commit.ts';
import type { StoredRecord } from '../store/rows.ts';
import type { RequestContext } from './context.ts';
import { requireTypeAccess } from './require-access.ts';

/** Letters of a parameter's name that a refusal repeats in its text. */
const longestNameShown = 50;

/** What meets a condition now, and what must not have changed when something is created because nothing does. */
export interface ConditionalMatch {
  readonly matches: readonly StoredRecord[];
  /** Ids that the guard row named when the condition was looked at. */
  readonly guard: Pick<UniqueChange, 'key' | 'expected'>;
}

/** What a record that is created because nothing meets a condition requires of its commit: that nobody created such a one meanwhile. */
export const guardsFor = ({ guard }: ConditionalMatch, id: string): UniqueChange[] => [
  { ...guard, add: [id], remove: [], replaces: true },
];

/** Where the condition of a conditional update, patch or deletion stands: in the query of its URL. */
export const inQuery = 'query';

/** The condition in a URL, as `If-None-Exist` would have it. */
export const conditionOf = ({ query }: FhirRequest): string => {
  const condition = query.filter(([name]) => name !== '_format' && name !== '_pretty');
  return new URLSearchParams(condition.map(([name, value]): [string, string] => [name, value])).toString();
};

/**
 * Finds what meets the condition of a conditional interaction or reference. https://hl7.org/fhir/R4/http.html#ccreate
 *
 * @param condition - a search, as in `If-None-Exist`.
 * @param expression - where the condition stands, for a refusal.
 * @param most - how many records may meet it.
 * @param except - records that do not count.
 * @throws RecordError `multiple-matches` if more do; `invalid` if it is no search, or an empty one.
 */
export const conditionalMatch = async (
  context: RequestContext,
  condition: string,
  expression = 'If-None-Exist',
  most = 1,
  except?: (record: StoredRecord) => boolean,
): Promise<ConditionalMatch> => {
  requireTypeAccess(context, 's');
  try {
    const { meeting } = await import('./conditional-match.lazy.ts');
    return await meeting(context, condition, most, except);
  } catch (error) {
    throw refusedAt(expression, error);
  }
};

/** A refusal of a condition names the parameter, where it is one of the request's own; else where the condition stands, and in its text the parameter. */
const refusedAt = (expression: string, error: unknown): unknown => {
  if (!(error instanceof RecordError)) return error;
  const details = error.details.map(({ expression: parameter, ...detail }) => {
    if (parameter === undefined || parameter === expression) return { ...detail, expression };
    if (expression === inQuery) return { ...detail, expression: parameter };
    return { ...detail, message: `${parameter.slice(0, longestNameShown)}: ${detail.message}`, expression };
  });
  return new RecordError(error.kind, error.message, { reason: error.reason, headers: error.headers, details });
};
