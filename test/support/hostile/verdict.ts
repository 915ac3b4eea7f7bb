import { reasonSystem } from '../../../shared/fhir/operation-outcome.ts';
import { hasAnswerBody } from './mutate-envelope.ts';
import { type Mutated, marker } from './mutation.ts';
import type { WireAnswer } from './request.ts';

/** https://hl7.org/fhir/R4/valueset-issue-type.html */
const issueTypes: ReadonlySet<string> = new Set(
  'invalid structure required value invariant security login unknown expired forbidden suppressed processing not-supported duplicate multiple-matches not-found deleted too-long code-invalid extension too-costly business-rule conflict transient lock-error no-store exception timeout incomplete throttled informational'.split(
    ' ',
  ),
);

/** Letters that a refusal may take up for each issue: what is told, and a name of 500 letters. */
const longestIssue = 2_000;

/** Refusals that are about what stands somewhere in the request, so that they must name it. */
const aboutAPlace: ReadonlySet<number> = new Set([400, 401, 406, 412, 413, 415, 422]);

/** What is wrong with an answer to such a request, in words; empty if it is as it should be. */
export const faultsOf = ({ request, places: broken }: Mutated, { status, headers, text }: WireAnswer): string[] => {
  // What a condition finds depends on what others have created meanwhile.
  const found = status === 412 && broken.length > 0 ? [...broken, 'If-None-Exist', 'query'] : broken;
  // A patch is blamed for its operations, and for what they make of the record.
  const places = request.method === 'PATCH' && found.includes('body') ? [...found, ...ofPatches(request.path)] : found;
  if (status === 0) return ['no answer'];
  if (status >= 500) return [`${status}`];
  if (status < 400 || !hasAnswerBody(request)) return [];
  const faults: string[] = [];
  if (!/^application\/fhir\+json(?:; ?charset=utf-8)?$/i.test(headers['content-type'] ?? ''))
    faults.push(`${status} as ${headers['content-type']}`);
  const outcome = parsed(text);
  if (outcome?.resourceType !== 'OperationOutcome' || !Array.isArray(outcome.issue) || outcome.issue.length === 0)
    return [...faults, `${status} without an OperationOutcome`];
  if (text.length > longestIssue * outcome.issue.length) faults.push(`an answer of ${text.length} letters`);
  for (const issue of outcome.issue) {
    if (issue.severity !== 'error' && issue.severity !== 'fatal') faults.push(`the severity ${issue.severity}`);
    if (!issueTypes.has(issue.code)) faults.push(`the code ${issue.code}`);
    const coding = issue.details?.coding?.[0];
    if (coding?.system !== reasonSystem || !/^[a-z-]+$/.test(coding.code ?? '')) faults.push('no code of ours');
    const { expression = [], details, diagnostics } = issue;
    if ((details?.text ?? '').length < 10 || !diagnostics?.includes(details?.text ?? ''))
      faults.push('nothing that explains it');
    const known = [...expression, ''].join(' ');
    if ((JSON.stringify({ ...issue, expression: undefined }) as string).includes(marker))
      faults.push('what was sent is told again');
    if (aboutAPlace.has(status)) {
      if (expression.length === 0) faults.push(`${status} (${coding?.code}) names no place: ${details?.text}`);
      else if (places.length > 0 && !expression.some((each) => places.some((place) => names(each, place))))
        faults.push(
          `${status} names ${known.slice(0, 120)}instead of ${places.join(' or ').slice(0, 120)}: ${details?.text}`,
        );
    }
  }
  return [...new Set(faults)];
};

const ofPatches = (path: string): string[] => [
  ...Array.from({ length: 4 }, (_, operation) => `[${operation}]`),
  'Parameters',
  path.split('/')[0] ?? '',
];

/** Whether an expression names a place, one around it or one within it; long names may be cut short. */
const names = (expression: string, place: string): boolean => {
  const [a, b] = [expression.toLowerCase(), place.toLowerCase()];
  // A body of another type is refused by the one element that says so.
  if (a === 'resourcetype') return /^[A-Z]\w*(?:$|\.resourceType$)/.test(place);
  if (a === b || (a.endsWith('…') && b.startsWith(a.slice(0, -1)))) return true;
  const within = (outer: string, inner: string) =>
    outer !== '' && inner.startsWith(outer) && /^[.[]/.test(inner.slice(outer.length));
  return /^[A-Z[]/.test(expression) && (within(a, b) || within(b, a));
};

const parsed = (text: string): fhir4.OperationOutcome | undefined => {
  try {
    return JSON.parse(text) as fhir4.OperationOutcome;
  } catch {
    return undefined;
  }
};
