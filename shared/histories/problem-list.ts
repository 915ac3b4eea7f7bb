import type { Resource } from '../fhir/resource.ts';
import type { Raised, RecordChange } from '../record-types/define-record-type.ts';
import { hasCode } from './concepts.ts';

/** Whether a version is a problem that stands on the list now. */
const isListed = ({ category, clinicalStatus, verificationStatus }: Resource): boolean =>
  hasCode(category, ['problem-list-item']) &&
  !hasCode(clinicalStatus, ['inactive', 'remission', 'resolved']) &&
  !hasCode(verificationStatus, ['refuted', 'entered-in-error']);

/** What a concept names: its codes, or else its words. */
const namesIn = (concept: unknown): readonly string[] => {
  const { coding = [], text } = (concept ?? {}) as fhir4.CodeableConcept;
  const codes = coding.flatMap(({ system = '', code }) => (code === undefined ? [] : [`${system}|${code}`]));
  return codes.length > 0 || text === undefined ? codes : [text.trim().toLowerCase()];
};

/** Where on the body, so that two eyes have two problems. */
const sitesOf = ({ bodySite }: Resource): string => [bodySite ?? []].flat().flatMap(namesIn).sort().join();

const isSameProblem = (one: Resource, other: Resource): boolean => {
  const names = namesIn(one['code']);
  return namesIn(other['code']).some((name) => names.includes(name)) && sitesOf(one) === sitesOf(other);
};

/** What newly stands on the list is stored, whatever stands there: who writes it is warned where the same problem does. */
export const warnOfDuplicate = ({ before, next }: RecordChange): readonly Raised[] => {
  if (!next || !isListed(next) || namesIn(next['code']).length === 0) return [];
  if (before && isListed(before) && isSameProblem(before, next)) return [];
  return [
    {
      warnsOf: 'Condition',
      where: (other) => isListed(other) && isSameProblem(next, other),
      warning: {
        severity: 'warning',
        code: 'duplicate',
        expression: 'Condition.code',
        message: 'The problem list has this problem already',
      },
    },
  ];
};
