import { parseReference } from '../fhir/references.ts';
import type { Resource } from '../fhir/resource.ts';
import type { Raised, RecordChange } from '../record-types/define-record-type.ts';

/** What of a resource tells whether it is an answer. */
interface Said {
  readonly status?: string;
  readonly docStatus?: string;
  readonly basedOn?: readonly fhir4.Reference[];
  readonly extension?: readonly fhir4.Extension[];
}

/** Reports and notes that are done, and what was carried out: table in docs/work.md. */
const answers: Readonly<Record<string, (said: Said) => boolean>> = {
  DiagnosticReport: ({ status = '' }) => /^(?:final|amended|corrected|appended)$/.test(status),
  Composition: ({ status = '' }) => /^(?:final|amended)$/.test(status),
  DocumentReference: ({ status, docStatus = '' }) =>
    status !== 'entered-in-error' && /^(?:final|amended)$/.test(docStatus),
  Procedure: ({ status }) => status === 'completed',
};

/** How types say which order they fulfil that have no element for it. https://hl7.org/fhir/R4/extension-event-basedon.html */
const basedOnUrl = 'http://hl7.org/fhir/StructureDefinition/event-basedOn';

/**
 * The requests that a version answers, `ServiceRequest/id`: none as long as it is not done, or says something that is not understood.
 *
 * @param baseUrl - this server's, for absolute references.
 */
export const requestsAnsweredBy = (resource: Resource | undefined, baseUrl: string): readonly string[] => {
  if (!resource || resource.modifierExtension !== undefined) return [];
  const said = resource as unknown as Said;
  if (!answers[resource.resourceType]?.(said)) return [];
  const { basedOn = [], extension = [] } = said;
  const named = extension.flatMap(({ url, valueReference }) => (url === basedOnUrl ? (valueReference ?? []) : []));
  const requests = [...basedOn, ...named].flatMap(({ reference = '' }) => {
    const parsed = parseReference(reference, baseUrl);
    return parsed.kind === 'record' && parsed.type === 'ServiceRequest' ? [`ServiceRequest/${parsed.id}`] : [];
  });
  return [...new Set(requests)];
};

/** The answers that a change gives to requests, and those that it takes back. Whatever else changes in an answer calls for nothing. */
export const answerRequests = ({ before, next, baseUrl }: RecordChange): readonly Raised[] => {
  const [was, is] = [requestsAnsweredBy(before, baseUrl), requestsAnsweredBy(next, baseUrl)];
  return [
    ...is.filter((request) => !was.includes(request)).map((request) => ({ request, answer: 'given' as const })),
    ...was.filter((request) => !is.includes(request)).map((request) => ({ request, answer: 'withdrawn' as const })),
  ];
};
