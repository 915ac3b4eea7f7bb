import type { Resource } from '../fhir/resource.ts';

/** What a version says of itself by a tag, so that somebody looks at it: facts are stored all the same. */
export type RecordFlag = fhir4.Coding & { readonly system: string; readonly code: string };

/** Whether a version bears a flag. */
export const isFlagged = (flag: RecordFlag, resource: Resource | undefined): boolean =>
  resource?.meta?.tag?.some(({ system, code }) => system === flag.system && code === flag.code) ?? false;

/** A version with a flag if it earns one, or an earlier one did. `$meta-delete` takes it off once somebody has looked. */
export const withFlag = (
  flag: RecordFlag,
  {
    before,
    next,
    earned,
  }: { readonly before: Resource | undefined; readonly next: Resource; readonly earned: boolean },
): Resource => {
  if (isFlagged(flag, next) || !(earned || isFlagged(flag, before))) return next;
  return { ...next, meta: { ...next.meta, tag: [...(next.meta?.tag ?? []), flag] } };
};

/** Whether a change is the first that is flagged. */
export const isNewly = (flag: RecordFlag, before: Resource | undefined, next: Resource | undefined): boolean =>
  before !== undefined && isFlagged(flag, next) && !isFlagged(flag, before);
