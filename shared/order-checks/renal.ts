import { type Finding, finding } from './findings.ts';
import type { Pack, RenalRule } from './knowledge.ts';
import { type KnownMedicines, membersOf, nameOf } from './known-medicines.ts';
import type { Medicine } from './medicine.ts';
import { dayMs, type Observed, observedOf, recordOf } from './observed.ts';
import { renalCodes } from './tells-of-state.ts';
import { type NotChecked, notChecked } from './words.ts';

/** How long a value is taken for today's. */
export const renalDays = 365;

/** UCUM units of a value, and how many mL/min they are; laboratories give eGFR with and without its area. https://ucum.org/ucum */
const millilitresAMinute: Readonly<Record<string, number>> = {
  'mL/min': 1,
  'ml/min': 1,
  'mL/min/{1.73_m2}': 1,
  'ml/min/{1.73_m2}': 1,
  'mL/min/1.73.m2': 1,
  'mL/min/1.73m2': 1,
  'mL/min/{1.73m2}': 1,
  'mL/s': 60,
  'mL/s/{1.73_m2}': 60,
  'L/min': 1_000,
};

/** A value with what is known of it: the true one is from `least` to `most`. */
interface Value {
  readonly least: number;
  readonly most: number;
  readonly shown: string;
  readonly record: string | undefined;
}

/** What speaks against an order because of the kidneys. */
export const kidneysAgainst = (
  order: Medicine,
  observations: readonly fhir4.Observation[],
  now: number,
  pack: Pack,
  known: KnownMedicines,
): { readonly findings: readonly Finding[]; readonly notChecked: readonly NotChecked[] } => {
  const findings: Finding[] = [];
  const open = new Set<'kidneys-unknown' | 'kidneys-unclear'>();
  for (const id of order.ingredients) {
    const rules = pack.renal.filter((rule) => membersOf(rule.of, known).includes(id));
    const judged = rules.map((rule) => judge(rule, observations, now));
    for (const { answer } of judged) if (typeof answer === 'string' && answer !== 'no') open.add(answer);
    // Of several thresholds of one measure that a value is beyond, the gravest says it all.
    const met = judged.flatMap(({ rule, answer }) => (typeof answer === 'string' ? [] : [{ rule, value: answer }]));
    const gravest = met.toSorted((a, b) => weights[b.rule.severity] - weights[a.rule.severity])[0];
    if (gravest) findings.push(findingOf(id, gravest.rule, gravest.value, pack, known));
  }
  return { findings, notChecked: [...open].map((code) => notChecked('renal', code)) };
};

const weights = { contraindicated: 3, serious: 2, moderate: 1 } as const;

const findingOf = (id: string, rule: RenalRule, value: Value, pack: Pack, known: KnownMedicines): Finding => {
  const text = `${nameOf(id, known)} with kidneys at ${value.shown}: ${rule.text}`;
  return finding({ kind: 'renal', code: 'renal', severity: rule.severity, text, record: value.record, rule }, pack);
};

/**
 * A rule is judged by its own measure, else by the other one: both tell of the same organ, and an estimate is better than none. A rule of too good kidneys is judged by its own alone.
 */
const judge = (rule: RenalRule, observations: readonly fhir4.Observation[], now: number) => {
  const other = rule.measure === 'egfr' ? 'clearance' : 'egfr';
  const own = latest(rule.measure, observations, now);
  const value = own === 'kidneys-unknown' && rule.above === undefined ? latest(other, observations, now) : own;
  return { rule, answer: typeof value === 'string' ? value : met(rule, value) };
};

const met = (rule: RenalRule, value: Value): Value | 'no' | 'kidneys-unclear' => {
  const [least, most] = [isBeyond(rule, value.least), isBeyond(rule, value.most)];
  if (least && most) return value;
  return least || most ? 'kidneys-unclear' : 'no';
};

const isBeyond = ({ below, atMost, above }: RenalRule, amount: number): boolean =>
  (below !== undefined && amount < below) ||
  (atMost !== undefined && amount <= atMost) ||
  (above !== undefined && amount > above);

/** The latest value; of several of one day, as by equations for two groups of people, the lowest. */
const latest = (
  measure: RenalRule['measure'],
  observations: readonly fhir4.Observation[],
  now: number,
): Value | 'kidneys-unknown' | 'kidneys-unclear' => {
  const recent = observedOf(observations, renalCodes[measure], now).filter(({ at }) => now - at <= renalDays * dayMs);
  const [newest] = recent;
  if (!newest) return 'kidneys-unknown';
  const values = recent.filter(({ at }) => newest.at - at < dayMs).map(valueOf);
  const clear = values.filter((value) => value !== undefined);
  return clear.toSorted((a, b) => a.most - b.most || a.least - b.least)[0] ?? 'kidneys-unclear';
};

const valueOf = ({ observation }: Observed): Value | undefined => {
  const { value, comparator, code, unit, system } = observation.valueQuantity ?? {};
  const factor = millilitresAMinute[code ?? unit ?? ''];
  if (value === undefined || factor === undefined || (code !== undefined && system !== undefined && system !== ucum))
    return undefined;
  const amount = value * factor;
  const [least, most] = boundsOf(amount, comparator);
  const shown = `${comparator ?? ''}${value} ${inWords(unit ?? code ?? '')}, ${dayOf(observation)}`;
  return { least, most, shown, record: recordOf(observation) };
};

/** A unit as it is written for people. */
const inWords = (unit: string): string => unit.replace(/\{?1\.73[._]?m2\}?/, '1.73 m²');

const dayOf = ({ effectiveDateTime, effectiveInstant, effectivePeriod, issued }: fhir4.Observation): string =>
  (effectiveDateTime ?? effectiveInstant ?? effectivePeriod?.end ?? effectivePeriod?.start ?? issued ?? '').slice(
    0,
    10,
  );

const ucum = 'http://unitsofmeasure.org';

/** `<` and `>` leave out the value itself, by less than any laboratory tells. https://hl7.org/fhir/R4/valueset-quantity-comparator.html */
const boundsOf = (amount: number, comparator: fhir4.Quantity['comparator']): readonly [number, number] => {
  const little = 1e-9;
  switch (comparator) {
    case '<':
      return [0, amount - little];
    case '<=':
      return [0, amount];
    case '>':
      return [amount + little, Number.POSITIVE_INFINITY];
    case '>=':
      return [amount, Number.POSITIVE_INFINITY];
    default:
      return [amount, amount];
  }
};
