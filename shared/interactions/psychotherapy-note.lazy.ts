import { RecordError } from '../errors.ts';
import { parseReference } from '../fhir/references.ts';
import type { Resource } from '../fhir/resource.ts';
import type { ValidationIssue } from '../fhir/validation-issue.ts';
import type { StoredRecord } from '../store/rows.ts';
import type { Seal } from '../store/seal.ts';
import type { RequestContext } from './context.ts';

/** Elements that name who wrote something, or said it. */
const authorship = ['author', 'performer', 'assessor', 'operator', 'sender', 'recorder'];

/** Professionals of this server that a resource names as who wrote it. */
const authorsOf = (resource: Resource, baseUrl: string): string[] => {
  const named = authorship.flatMap((element) => [(resource as unknown as Record<string, unknown>)[element]].flat());
  const references = named.flatMap((each) => {
    const { reference, actor } = (each ?? {}) as fhir4.Reference & { actor?: fhir4.Reference };
    return reference ?? actor?.reference ?? [];
  });
  return references.flatMap((reference) => {
    const parsed = parseReference(reference, baseUrl);
    return parsed.kind === 'record' && parsed.type.startsWith('Practitioner') ? [`${parsed.type}/${parsed.id}`] : [];
  });
};

/** A seal, and what its writer is told about it. */
interface Sealed {
  readonly seal: Seal;
  readonly warnings: readonly ValidationIssue[];
}

/**
 * Who alone may see a psychotherapy note once this is written. A new one belongs to the professionals whom it names as its authors, else to whoever writes it.
 * One that is there keeps whom it belongs to, whatever it says by now. To make one of another record is for its author or a privacy officer.
 *
 * @param current - the version that it replaces.
 * @throws RecordError `forbidden` for who did not write what would be closed; `business-rule` if it does not say who did.
 */
export const sealOfNote = (
  { asking: { caller }, recordType, request }: RequestContext,
  resource: Resource,
  current: StoredRecord | undefined,
): Sealed => {
  if (current?.originators) return { seal: { originators: current.originators }, warnings: [] };
  const expression = `${recordType.name}.meta.security`;
  const fromOutside = new RecordError('forbidden', 'A psychotherapy note is marked by the professional who wrote it', {
    reason: 'not-originator',
    expression,
  });
  if (caller.organization === undefined) throw fromOutside;
  const authors = [...new Set(authorsOf(current?.resource ?? resource, request.baseUrl))];
  if (!current) {
    const known = authors.some((author) => author.startsWith('Practitioner/'));
    const originators = known ? authors : [...authors, caller.fhirUser];
    const message = 'This is a psychotherapy note now: its authors alone will see it, and you are none of them';
    const isOwn = originators.includes(caller.fhirUser);
    return {
      seal: { originators },
      warnings: isOwn ? [] : [{ severity: 'warning', code: 'not-supported', expression, message }],
    };
  }
  if (authors.length === 0) {
    throw new RecordError(
      'business-rule',
      'This does not say who wrote it, so nobody could see it as a psychotherapy note',
      {
        reason: 'originator-unknown',
        expression,
      },
    );
  }
  if (!authors.includes(caller.fhirUser) && !caller.roles.includes('privacy')) throw fromOutside;
  return { seal: { originators: authors }, warnings: [] };
};
