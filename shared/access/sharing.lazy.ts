import { addressesIn, addressOf } from '../fhir/addresses.ts';
import type { Resource } from '../fhir/resource.ts';
import { careTimeOf } from '../record-types/care-dates.ts';
import { type Subject, subjectOf } from '../record-types/subjects.ts';
import type { Caller, Role } from './caller.ts';
import { chartAccessBy } from './chart-access.ts';
import { codesIn, codesWithin, labelsByCode } from './derived-labels.ts';
import { type Directive, type Rule, type Span, unclear } from './directive.ts';
import { emergencySystem } from './emergency.ts';
import { actCode, isPsychotherapyNote, noRedisclosure, part2Label } from './labels.ts';
import type { Basis, RecordFacts, Sharing, TypeFacts } from './question.ts';

/** What is asked: whether this caller may see this record. */
interface Asked {
  readonly caller: Caller;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly type: string;
  readonly record: RecordFacts;
}

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
  by.granted || by.related || directives.some(({ rule }) => opens(rule))
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

const isOfTreatment = (subject: Subject | undefined): boolean =>
  subject !== undefined && subject !== 'consent' && subject !== 'audit';

/** What the records are about that a Provenance tells of; undefined where it is not known. */
const targetsOf = (provenance: Resource | undefined): (Subject | undefined)[] => {
  const { target } = (provenance ?? {}) as Partial<fhir4.Provenance>;
  return (target ?? [{}]).map(({ reference, type }) => {
    const name = (reference === undefined ? type : addressOf(reference)?.name)?.split('/')[0];
    return name === undefined ? undefined : subjectOf(name);
  });
};

/** Sets of what a rule may come to, as bits. */
const nothing = 1;
const permit = 2;
const deny = 4;

const basisIn = (
  directives: readonly Directive[],
  related: ((custodian: string) => boolean) | undefined,
  asked: Asked,
): Basis | undefined => {
  const { record } = asked;
  const all = directives.map(({ custodian, rule }) => ({ custodian, outcomes: outcomesOf(rule, asked, []) }));
  if (all.some(({ outcomes }) => (outcomes & deny) !== 0)) return undefined;
  if (all.some(({ custodian, outcomes }) => outcomes === permit && custodian === record.custodian)) return 'consent';
  // A relationship is for care, and no provision that names a label.
  return record.labels.every(isHarmless) && related?.(record.custodian) ? 'relation' : undefined;
};

/**
 * All that a rule may come to. Its exceptions go before itself, and deny before permit.
 *
 * @param labels - that the rules around it name.
 */
const outcomesOf = (rule: Rule, asked: Asked, labels: readonly string[]): number => {
  const met = isMet(rule, asked);
  if (met === no) return nothing;
  const named = [...labels, ...(rule.labels ?? []), ...(isForAllOfCare(rule) ? [part2Label] : [])];
  const inner = (rule.rules ?? []).map((each) => outcomesOf(each, asked, named));
  const closed = inner.some((each) => (each & deny) !== 0) ? deny : 0;
  const mayPass = inner.every((each) => each !== deny);
  const opened = mayPass && inner.some((each) => (each & permit) !== 0) ? permit : 0;
  const own = inner.every((each) => (each & nothing) !== 0) ? ownOutcome(rule, asked, named) : 0;
  return closed | opened | own | (met === perhaps ? nothing : 0);
};

const ownOutcome = ({ type }: Rule, { record }: Asked, named: readonly string[]): number => {
  if (type === 'deny') return deny;
  const ofProgramme = record.labels.includes(part2Label) && named.includes(part2Label);
  const isOpen = (label: string) =>
    isHarmless(label) || isNamed(label, named) || (ofProgramme && substanceUse.has(label));
  return type === 'permit' && record.labels.every(isOpen) ? permit : nothing;
};

/**
 * A consent to all uses for treatment, payment and health care operations shares what a substance-use programme keeps, without naming it.
 * https://www.law.cornell.edu/cfr/text/42/2.31
 */
const isForAllOfCare = ({ purposes = [] }: Rule): boolean =>
  ['TREAT', 'HPAYMT', 'HOPERAT'].every((purpose) => purposes.includes(purpose));

/** What its records say of substance use goes with them. */
const substanceUse: ReadonlySet<string> = new Set(
  ['ETH', 'SUD', 'ETHUD', 'OPIOIDUD'].map((code) => `${actCode}|${code}`),
);

/** How a condition is met. The least of all decides. */
const no = 0;
const perhaps = 1;
const yes = 2;
type Met = typeof no | typeof perhaps | typeof yes;

const isMet = (rule: Rule, asked: Asked): Met => {
  const { caller, now, type, record } = asked;
  const { unclear: more, period, recipients, custodians, purposes, labels, types, codes, dates, data } = rule;
  const asks = [
    more ? perhaps : yes,
    period ? (isIn(now, period) ? yes : no) : yes,
    among(recipients, (name) => name === `Organization/${caller.organization}` || name === caller.fhirUser),
    among(custodians, (name) => name === `Organization/${record.custodian}`),
    purposes && !caller.roles.every((role) => treating.has(role))
      ? perhaps
      : among(purposes, (purpose) => purpose === 'TREAT'),
    among(labels, (label) => bears(record, label, rule.type === 'deny')),
    among(types, (name) => name === type),
    codes ? says(codes, record.resource, rule.type === 'deny') : yes,
    dates ? isGivenIn(dates, record.resource, rule.type === 'deny') : yes,
    data ? isAmong(data, asked) : yes,
  ];
  return Math.min(...asks) as Met;
};

/** Roles whose purpose is treatment. What others look for is not known. */
const treating: ReadonlySet<Role> = new Set(['physician', 'nurse', 'pharmacist', 'lab']);

const among = (names: readonly string[] | undefined, is: (name: string) => boolean): Met => {
  if (!names || names.some(is)) return yes;
  return names.includes(unclear) ? perhaps : no;
};

const isIn = (time: number, [from, to]: Span): boolean => (from === null || time >= from) && (to === null || time < to);

const terminology = 'http://terminology.hl7.org/CodeSystem/';
const confidentiality = `${terminology}v3-Confidentiality|`;
/** From unrestricted to very restricted. https://terminology.hl7.org/CodeSystem-v3-Confidentiality.html */
const levels = ['U', 'L', 'M', 'N', 'R', 'V'];
const normal = levels.indexOf('N');

/** How confidential a label says that a record is; below all if it is about something else. */
const levelOf = (label: string): number =>
  label.startsWith(confidentiality) ? levels.indexOf(label.slice(confidentiality.length)) : -1;

/**
 * Whether a record bears a label. One of confidentiality means those that are labelled so or lower, and in a deny so or higher. What has none is
 * normal. https://hl7.org/fhir/R4/consent-definitions.html#Consent.provision.securityLabel
 */
const bears = ({ labels }: RecordFacts, label: string, denied: boolean): boolean => {
  if (labels.includes(label)) return true;
  const level = levelOf(label);
  if (level < 0) return false;
  const own = labels.map(levelOf).filter((each) => each >= 0);
  const highest = own.length === 0 ? normal : Math.max(...own);
  return denied ? highest >= level : highest <= level;
};

/** Labels that restrict nothing by themselves: of normal confidentiality, of integrity, for treatment, of test data; what is said to whom something is released. */
const isHarmless = (label: string): boolean => {
  const level = levelOf(label);
  return (
    (level >= 0 && level <= normal) ||
    label.startsWith(`${terminology}v3-ObservationValue|`) ||
    label === noRedisclosure ||
    label === `${terminology}v3-ActReason|TREAT` ||
    label === `${terminology}v3-ActReason|HTEST`
  );
};

const isNamed = (label: string, named: readonly string[]): boolean =>
  named.includes(label) || (levelOf(label) >= 0 && named.some((each) => levelOf(each) >= levelOf(label)));

/** Whether a record says one of these codes: to be denied anywhere in it, to be permitted in an element of its own, such as its code or category. */
const says = (codes: readonly string[], resource: Resource | undefined, denied: boolean): Met => {
  if (!resource) return perhaps;
  const found = new Set(denied ? codesWithin(resource) : Object.values(resource).flatMap(codesIn));
  return among(codes, (code) => found.has(code));
};

/**
 * Whether the care that a record is about was given within a time: to be permitted, it began in it and, if it is over, ended in it; to be denied, any of it
 * was.
 */
const isGivenIn = (dates: Span, resource: Resource | undefined, denied: boolean): Met => {
  const care = resource && careTimeOf(resource);
  if (!care) return perhaps;
  const from = dates[0] ?? Number.NEGATIVE_INFINITY;
  const to = dates[1] ?? Number.POSITIVE_INFINITY;
  const is = denied
    ? care.start < to && care.end > from
    : care.start >= from && care.start < to && (care.end <= to || care.end === Number.POSITIVE_INFINITY);
  return is ? yes : no;
};

/**
 * Whether a record is what a rule names, or refers to it. What an address says that is on a server may be here: by which name the reader asks for this
 * one, is the reader's to choose.
 */
const isAmong = (data: readonly string[], { type, record }: Asked): Met => {
  const name = `${type}/${record.id}`;
  const { resource } = record;
  const referred = addressesIn(resource);
  const met = among(
    data,
    (each) => each === name || each === `>${name}` || referred.some((other) => other.here && each === `>${other.name}`),
  );
  const mayRefer = data.some(
    (each) => each.startsWith('>') && (!resource || referred.some(({ name: other }) => each === `>${other}`)),
  );
  return met === no && mayRefer ? perhaps : met;
};
