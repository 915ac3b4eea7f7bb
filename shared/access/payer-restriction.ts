import { subjectOf } from '../record-types/subjects.ts';
import { deny, isIn, outcomesOf } from './consent-outcomes.ts';
import { type Rule, unclear } from './directive.ts';
import { payersIn } from './payer-purposes.ts';
import type { RecordFacts } from './question.ts';

/** A claim, and when it is asked. */
export interface Claimed {
  /** Of the version that is to be written. */
  readonly record: RecordFacts;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/**
 * The organisations that a patient's Consent keeps a claim from: it denies them payment or operations, in its period, and the claim is or may be about what it names. Such a restriction
 * binds whoever was paid by the patient. Pure. https://www.ecfr.gov/current/title-45/section-164.522#p-164.522(a)(1)(vi)
 *
 * @param rule - of a Consent that the claim's own custodian keeps.
 * @returns their references.
 */
export const payersRestricted = (rule: Rule, { record, now }: Claimed): readonly string[] => {
  const restriction = restrictionIn(rule);
  return payersNamedIn(restriction, now).filter((payer) => {
    const organization = payer.slice('Organization/'.length);
    const nobody = { subject: '', name: '', client: '', roles: ['system' as const], scopes: [], fhirUser: '' };
    const asked = { caller: { ...nobody, organization, patient: undefined }, now, type: 'Claim', record };
    return (outcomesOf(restriction, asked, []) & deny) !== 0;
  });
};

/**
 * The organisations that a Consent keeps something from as payers, whatever it is, for now.
 *
 * @param now - in milliseconds since 1970.
 */
export const payersDenied = (rule: Rule, now: number): readonly string[] => payersNamedIn(restrictionIn(rule), now);

const payersNamedIn = ({ type, period, recipients = [], rules = [] }: Rule, now: number): readonly string[] => {
  if (period && !isIn(now, period)) return [];
  return type === 'deny'
    ? recipients.filter((name) => name.startsWith('Organization/'))
    : [...new Set(rules.flatMap((inner) => payersNamedIn(inner, now)))];
};

/**
 * What of a rule restricts payers, whomever and whatever it opens besides. Any other deny is no restriction of what an insurer is told, which has to know what it is to pay. What a policy
 * that closes everything says of payers stands in its root provision, which has no type.
 */
const restrictionIn = (rule: Rule, within?: Rule['type'], around: readonly string[] = []): Rule => {
  const { type, unclear: more, period, custodians, rules = [] } = rule;
  const denies = type === 'deny' || (type === undefined && within === 'deny');
  // What is said of a payer within what is said of it is its exception, and no restriction of its own.
  const payers = denies ? payersIn(rule).filter((payer) => !around.includes(payer)) : [];
  return {
    ...(more ? { unclear: more } : {}),
    ...(period ? { period } : {}),
    ...(custodians ? { custodians } : {}),
    rules: [
      ...(payers.length > 0 ? [denialOf(rule, payers)] : []),
      ...rules.map((inner) => restrictionIn(inner, type, [...around, ...payers])),
    ],
  };
};

const denialOf = ({ purposes: _met, types, data, ...rule }: Rule, recipients: readonly string[]): Rule => ({
  ...rule,
  type: 'deny',
  recipients,
  ...(types && !types.some(mayBeClaimed) ? { types } : {}),
  ...(data ? { data: data.flatMap(orWhatNamesIt) } : {}),
});

/** A claim that names a record tells of it. */
const orWhatNamesIt = (name: string): string[] =>
  name === unclear || name.startsWith('>') ? [name] : [name, `>${name}`];

const ofCare: ReadonlySet<string> = new Set(['clinical', 'order', 'dispensing', 'laboratory', 'billing']);

/** Whether claims may tell of what records of a type say: of all care, for each is billed by its code and not by its record. */
const mayBeClaimed = (type: string): boolean => type === unclear || ofCare.has(subjectOf(type));
