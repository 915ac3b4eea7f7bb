import { addressesIn } from '../fhir/addresses.ts';
import type { Resource } from '../fhir/resource.ts';
import { careTimeOf } from '../record-types/care-dates.ts';
import type { Subject } from '../record-types/subjects.ts';
import type { Caller, Role } from './caller.ts';
import { codesIn, codesWithin } from './derived-labels.ts';
import { type Rule, type Span, unclear } from './directive.ts';
import { actCode, isHarmless, levelOf, normalLevel, part2Label } from './labels.ts';
import { payersIn } from './payer-purposes.ts';
import type { RecordFacts } from './question.ts';

/** Whether records about this may be shared at all. */
export const isOfTreatment = (subject: Subject | undefined): boolean =>
  subject !== undefined && subject !== 'consent' && subject !== 'audit';

/** What is asked: whether this caller may see this record. */
export interface Asked {
  readonly caller: Caller;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly type: string;
  readonly record: RecordFacts;
  /**
   * Given where any reader of the organisation is meant, and any record of the type that bears these labels: these `alone`, but for harmless ones, or `among` others.
   * What differs from one to the other is then met perhaps.
   */
  readonly imagined?: 'alone' | 'among';
}

/** Sets of what a rule may come to, as bits. */
const nothing = 1;
export const permit = 2;
export const deny = 4;

/**
 * All that a rule may come to. Its exceptions go before itself, and deny before permit.
 *
 * @param labels - that the rules around it name.
 */
export const outcomesOf = (rule: Rule, asked: Asked, labels: readonly string[]): number => {
  const met = isMet(rule, asked);
  if (met === no) return nothing;
  const named = [...labels, ...(rule.labels ?? []), ...(isForAllOfCare(rule) ? [part2Label] : [])];
  const inner = (rule.rules ?? []).map((each) => outcomesOf(each, asked, named));
  const closed = inner.some((each) => (each & deny) !== 0) ? deny : 0;
  const mayPass = inner.every((each) => each !== deny);
  const opened = mayPass && inner.some((each) => (each & permit) !== 0) ? permit : 0;
  const own = inner.every((each) => (each & nothing) !== 0) ? ownOutcome(rule, asked, named) : 0;
  const all = closed | opened | own | (met === perhaps ? nothing : 0);
  // What is not understood is met perhaps by each record there is, so it opens none.
  return asked.imagined && isUnclear(rule, asked) ? all & ~permit : all;
};

const ownOutcome = ({ type }: Rule, { record, imagined }: Asked, named: readonly string[]): number => {
  if (type === 'deny') return deny;
  const ofProgramme = (imagined === 'among' || record.labels.includes(part2Label)) && named.includes(part2Label);
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
  const { now, record, imagined } = asked;
  const { period, recipients, labels, codes, dates, data } = rule;
  const denied = rule.type === 'deny';
  const asks = [
    ofReading(rule, asked),
    period ? (isIn(now, period) ? yes : no) : yes,
    receives(recipients, asked),
    imagined
      ? mayBear(record.labels, labels, { denied, imagined })
      : among(labels, (label) => bears(record, label, denied)),
    codes ? says(codes, record.resource, denied) : yes,
    dates ? isGivenIn(dates, record.resource, denied) : yes,
    data ? isAmong(data, asked) : yes,
  ];
  return Math.min(...asks) as Met;
};

/** As far as it is the same for all readers of an organisation who treat, and for all records of a type that one organisation keeps. */
const ofReading = (rule: Rule, { caller, type, record }: Asked): Met => {
  const asks = [
    rule.unclear ? perhaps : yes,
    among(rule.custodians, (name) => name === `Organization/${record.custodian}`),
    isOfPurpose(rule, caller),
    among(rule.types, (name) => name === type),
  ];
  return Math.min(...asks) as Met;
};

/** What a payer is denied as a payer is denied to all who work there: a physician of an insurer looks for what is to be paid. */
const isOfPurpose = (rule: Rule, { organization, roles }: Caller): Met => {
  const { type, purposes } = rule;
  if (type === 'deny' && payersIn(rule).includes(`Organization/${organization}`)) return yes;
  return purposes && !roles.every((role) => treating.has(role))
    ? perhaps
    : among(purposes, (purpose) => purpose === 'TREAT');
};

const receives = (recipients: readonly string[] | undefined, { caller, imagined }: Asked): Met => {
  const met = among(
    recipients,
    (name) => name === `Organization/${caller.organization}` || (!imagined && name === caller.fhirUser),
  );
  return imagined && met === no && recipients?.some((name) => !name.startsWith('Organization/')) ? perhaps : met;
};

/** Whether nobody can say of any record that a rule is meant for it. */
const isUnclear = (rule: Rule, asked: Asked): boolean => ofReading(rule, asked) === perhaps;

/** Roles whose purpose is treatment. What others look for is not known. */
const treating: ReadonlySet<Role> = new Set(['physician', 'nurse', 'pharmacist', 'lab']);

const among = (names: readonly string[] | undefined, is: (name: string) => boolean): Met => {
  if (!names || names.some(is)) return yes;
  return names.includes(unclear) ? perhaps : no;
};

/** @param time - in milliseconds since 1970. */
export const isIn = (time: number, [from, to]: Span): boolean =>
  (from === null || time >= from) && (to === null || time < to);

/**
 * Whether a record bears a label. One of confidentiality means those that are labelled so or lower, and in a deny so or higher. What has none is
 * normal. https://hl7.org/fhir/R4/consent-definitions.html#Consent.provision.securityLabel
 */
const bears = ({ labels }: RecordFacts, label: string, denied: boolean): boolean => {
  if (labels.includes(label)) return true;
  const level = levelOf(label);
  if (level < 0) return false;
  const own = labels.map(levelOf).filter((each) => each >= 0);
  const highest = own.length === 0 ? normalLevel : Math.max(...own);
  return denied ? highest >= level : highest <= level;
};

/** Whether records that bear these labels, `alone` or `among` others, bear what a rule names. Harmless ones they may bear or not. */
const mayBear = (
  own: readonly string[],
  names: readonly string[] | undefined,
  { denied, imagined }: { readonly denied: boolean; readonly imagined: 'alone' | 'among' },
): Met => {
  if (!names) return yes;
  const highest = Math.max(...own.map(levelOf), -1);
  const met = names.map((name): Met => {
    const level = levelOf(name);
    if (own.includes(name)) return yes;
    if (name === unclear) return perhaps;
    if (level >= 0) {
      if (denied && level <= Math.max(highest, 0)) return yes;
      if (!denied && imagined === 'alone' && level >= Math.max(highest, normalLevel)) return yes;
    }
    return imagined === 'among' || isHarmless(name) ? perhaps : no;
  });
  return Math.max(no, ...met) as Met;
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
const isAmong = (data: readonly string[], { type, record, imagined }: Asked): Met => {
  if (imagined)
    return data.some((each) => each === unclear || each.startsWith('>') || each.startsWith(`${type}/`)) ? perhaps : no;
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
