import { isPsychotherapyNote } from '../access/labels.ts';
import type { Resource } from '../fhir/resource.ts';
import type { ValidationIssue } from '../fhir/validation-issue.ts';
import type { StoredRecord } from '../store/rows.ts';
import type { RequestContext } from './context.ts';

const labelsOf = (resource: Resource): string[] =>
  (resource.meta?.security ?? []).map(({ system, code }) => `${system ?? ''}|${code ?? ''}`);

/** What a version says, with what its labels come to. */
interface Labelled {
  readonly version: Pick<StoredRecord, 'resource' | 'labels' | 'originators'>;
  readonly warnings: readonly ValidationIssue[];
}

/**
 * What is to be written, with its labels, on every path: create, update, patch, transaction, change of labels.
 *
 * @param current - the version that it replaces.
 * @throws RecordError as sealOfNote does.
 */
export const labelled = async (
  context: RequestContext,
  resource: Resource,
  current?: StoredRecord,
): Promise<Labelled> => {
  const labels = labelsOf(resource);
  if (!labels.some(isPsychotherapyNote)) {
    return { version: { resource, labels, originators: undefined }, warnings: [] };
  }
  const { sealOfNote } = await import('./psychotherapy-note.lazy.ts');
  const { seal, warnings } = sealOfNote(context, resource, current);
  return { version: { resource, labels, ...seal }, warnings };
};
