import { isDeepStrictEqual } from 'node:util';
import type { Caller } from '../access/caller.ts';
import { clearedUrl } from '../access/support.ts';
import { withSpellingOf } from '../fhir/json.ts';
import type { Resource } from '../fhir/resource.ts';
import { receiptUrl } from './receipts.ts';
import { triageUrl } from './triage.ts';

/** What the server itself says of a message, in extensions: who has read it, who has triaged it and what came of that. */
const marks: ReadonlySet<string> = new Set([receiptUrl, triageUrl, clearedUrl]);

const extensionsOf = (message: Resource | undefined): fhir4.Extension[] =>
  (message?.['extension'] as fhir4.Extension[] | undefined) ?? [];

/** A message with other extensions. */
export const withExtensions = (message: Resource, extension: fhir4.Extension[]): Resource => {
  const { extension: _, ...rest } = message;
  return withSpellingOf({ ...rest, ...(extension.length === 0 ? {} : { extension }) } as Resource, message);
};

/**
 * A version with the marks that there were, whatever a client makes of them: it may send them as they were, or leave them out. The organisation's own system writes those of
 * what others have kept. Words that are not those that somebody has looked at were not triaged.
 */
export const keepMarks = (before: Resource | undefined, next: Resource, { roles }: Pick<Caller, 'roles'>): Resource => {
  const isMark = ({ url }: fhir4.Extension) => marks.has(url);
  const isRewritten = before !== undefined && !isDeepStrictEqual(before['payload'], next['payload']);
  const [had, has] = [before, next].map((version) => extensionsOf(version).filter(isMark)) as [
    fhir4.Extension[],
    fhir4.Extension[],
  ];
  const own = roles.includes('system') && has.length > 0 ? has : had;
  const kept = isRewritten ? own.filter(({ url }) => url !== clearedUrl) : own;
  if (isDeepStrictEqual(kept, has)) return next;
  return withExtensions(next, [...extensionsOf(next).filter((each) => !isMark(each)), ...kept]);
};
