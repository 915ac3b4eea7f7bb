import { addressOf } from '../fhir/addresses.ts';
import type { Resource } from '../fhir/resource.ts';
import { type Subject, subjectOf } from '../record-types/subjects.ts';
import { chartAccessBy } from './chart-access.ts';
import { type Asked, deny, isOfTreatment, outcomesOf, permit } from './consent-outcomes.ts';
import { codesIn, labelsByCode } from './derived-labels.ts';
import type { Directive, Rule } from './directive.ts';
import { emergencySystem } from './emergency.ts';
import { isHarmless, isPsychotherapyNote } from './labels.ts';
import type { Basis, RecordFacts, Sharing, TypeFacts } from './question.ts';

/** What opens a chart beside Consents. */
interface By {
  /** Whether the caller's organisation has a care relationship as to what this custodian keeps. */
  readonly related?: ((custodian: string) => boolean) | undefined;
  /** Whether the caller has broken the glass. */
  readonly granted?: boolean;
  /** Labels that a record is taken to bear beside its own, for what it says and who keeps it; of the starting set of codes if absent. */
  readonly derived?: (resource: Resource | undefined, custodian: string) => readonly string[];
}

/**
 * What a patient's Consents, care relationships and an emergency let one caller see of a chart; undefined if it is nothing. A record is shared only if it is
 * whatever may be meant by what is not understood in Consents. What these deny is shared in an emergency alone.
 *
 * @param now - in milliseconds since 1970.
 */
export const sharingOf = (directives: readonly Directive[], now: number, by: By = {}): Sharing | undefined =>
  by.granted || by.related || directives.some(({ rule, closes }) => !closes && opens(rule))
    ? (caller, type, record) => {
        if (!isShareable(type, record)) return undefined;
        const { derived = labelsByCode() } = by;
        const labels = [...new Set([...record.labels, ...derived(record.resource, record.custodian)])];
        const basis = basisIn(directives, by.related, { now, caller, type: type.name, record: { ...record, labels } });
        return basis ?? (by.granted ? 'break-glass' : undefined);
      }
    : undefined;

export { labelsByCode } from './derived-labels.ts';
export { sensitiveCodesVersion } from './sensitive-codes.ts';

/** What the rows of a chart come to for a caller. */
export const chartAccess = chartAccessBy(sharingOf);

const opens = ({ type, rules = [] }: Rule): boolean => type === 'permit' || rules.some(opens);

/** Consents say who else treats a patient, and so does where they come from; psychotherapy notes are for their author. */
const isShareable = ({ subject }: TypeFacts, { labels, resource }: RecordFacts): boolean =>
  isOfTreatment(subject) &&
  !isOfEmergency(resource) &&
  !labels.some(isPsychotherapyNote) &&
  (subject !== 'provenance' || targetsOf(resource).every(isOfTreatment));

/** What tells that somebody has broken the glass tells who else treats the patient. */
const isOfEmergency = (resource: Resource | undefined): boolean => {
  const { code, category } = (resource ?? {}) as { code?: unknown; category?: unknown };
  return codesIn([code, category].flat()).some((each) => each.startsWith(`${emergencySystem}|`));
};

/** What the records are about that a Provenance tells of; undefined where it is not known. */
const targetsOf = (provenance: Resource | undefined): (Subject | undefined)[] => {
  const { target } = (provenance ?? {}) as Partial<fhir4.Provenance>;
  return (target ?? [{}]).map(({ reference, type }) => {
    const name = (reference === undefined ? type : addressOf(reference)?.name)?.split('/')[0];
    return name === undefined ? undefined : subjectOf(name);
  });
};

const basisIn = (
  directives: readonly Directive[],
  related: ((custodian: string) => boolean) | undefined,
  asked: Asked,
): Basis | undefined => {
  const { record } = asked;
  const all = directives.map(({ rule, ...given }) => ({ ...given, outcomes: outcomesOf(rule, asked, []) }));
  if (all.some(({ outcomes }) => (outcomes & deny) !== 0)) return undefined;
  if (all.some(({ custodian, closes, outcomes }) => !closes && outcomes === permit && custodian === record.custodian))
    return 'consent';
  // A relationship is for care, and no provision that names a label.
  return record.labels.every(isHarmless) && related?.(record.custodian) ? 'relation' : undefined;
};
