import type { Resource } from '../fhir/resource.ts';
import { dateInterval } from '../search/date-range.ts';
import { type Units, ucum } from '../search/units.ts';
import { useOfDispense } from './order-use.ts';

// What an order lets a pharmacist supply, and what was supplied of it. Pure. https://hl7.org/fhir/R4/medicationrequest-definitions.html#MedicationRequest.dispenseRequest

const dayMs = 86_400_000;
/** Quantities are sums of decimals in doubles. */
const tolerance = 1e-9;

/** A dispense that names the order. */
export interface KnownDispense {
  readonly resource: Resource;
  /** Since when it says so, in milliseconds since 1970: the time of what is under way and says none. */
  readonly updated: number;
}

/** What is not reckoned, and why. Stable: answers tell it. */
export type NotReckoned =
  | 'repeats-not-told'
  | 'quantity-not-told'
  | 'quantity-not-comparable'
  | 'duration-not-told'
  | 'date-not-told'
  | 'validity-not-told';

/** How an order stands with its supplies. Quantities are in the unit of the order. */
export interface Supply {
  /** Fills that were handed over, and those that are under way. */
  readonly fills: number;
  readonly underWay: number;
  /** The first and its repeats. */
  readonly allowed?: number;
  readonly left?: number;
  /** Handed over or under way. */
  readonly supplied?: number;
  readonly total?: number;
  /** The first moment at which what was supplied is used up, in milliseconds since 1970; undefined where nothing was, or that is not told. */
  readonly lastsUntil?: number;
  readonly validFrom?: number;
  /** The first millisecond after it. */
  readonly validTo?: number;
  readonly unit?: fhir4.Quantity;
  readonly notReckoned: readonly NotReckoned[];
}

/** What speaks against a dispense. Stable: answers tell the code, and who goes on in spite of it names it. */
export interface SupplyFinding {
  readonly code: 'repeats-exceeded' | 'quantity-exceeded' | 'early' | 'outside-validity';
  /** With the figures. */
  readonly text: string;
}

type Request = fhir4.MedicationRequestDispenseRequest;
type Dispense = fhir4.MedicationDispense;

const requestOf = (order: Resource): Request => (order['dispenseRequest'] as Request | undefined) ?? {};

/** Not a whole fill: several of them are one. https://terminology.hl7.org/ValueSet-v3-ActPharmacySupplyType.html */
const partFills: ReadonlySet<string | undefined> = new Set(['FFP', 'FFPS', 'RFP', 'RFPS', 'DF']);
const isPart = ({ type }: Dispense): boolean => type?.coding?.some(({ code }) => partFills.has(code)) ?? false;

/** A count in braces is of that and of nothing else: tablets are no capsules, though UCUM takes both for one. */
const isCount = (code: string): boolean => code === '1' || code.startsWith('{');

/** A quantity in the unit of another one; undefined if that does not say. */
const inUnitOf = (
  unit: fhir4.Quantity,
  { value, comparator, ...of }: fhir4.Quantity,
  units: Units,
): number | undefined => {
  if (value === undefined || comparator !== undefined || unit.comparator !== undefined) return undefined;
  if (of.code === undefined || unit.code === undefined) {
    const [one, other] = [of.unit, unit.unit].map((each) => each?.trim().toLowerCase());
    return of.code === unit.code && one === other ? value : undefined;
  }
  if (of.system === unit.system && of.code === unit.code) return value;
  if (of.system !== ucum || unit.system !== ucum || isCount(of.code) || isCount(unit.code)) return undefined;
  const [own, one] = [units.canonicalQuantity(value, of.code), units.canonicalQuantity(1, unit.code)];
  return own && one && own.dimension === one.dimension ? own.value / one.value : undefined;
};

/** What a dispense says that it supplies, in the unit of another quantity. Less than nothing is nothing: no dispense gives back what another one has supplied. */
const suppliedIn = (unit: fhir4.Quantity, given: fhir4.Quantity, units: Units): number | undefined => {
  const value = inUnitOf(unit, given, units);
  return value === undefined ? undefined : Math.max(0, value);
};

/** Units of time that are written in words. */
const days: fhir4.Quantity = { system: ucum, code: 'd' };
const daysIn = (duration: fhir4.Quantity | undefined, units: Units): number | undefined => {
  if (!duration) return undefined;
  const isInWords = duration.code === undefined && /^d(?:ays?)?$/i.test(duration.unit?.trim() ?? '');
  return inUnitOf(days, isInWords ? ({ ...days, value: duration.value } as fhir4.Quantity) : duration, units);
};

const startOf = (date: unknown): number | undefined =>
  typeof date === 'string' ? dateInterval(date)?.start : undefined;

/** When a supply was had, or will be; of what is under way, when it was begun. */
const dateOf = ({ resource, updated }: KnownDispense): number | undefined => {
  const { whenHandedOver, whenPrepared } = resource as unknown as Dispense;
  return (
    startOf(whenHandedOver) ?? startOf(whenPrepared) ?? (useOfDispense(resource) === 'intention' ? updated : undefined)
  );
};

/** Whether it counts: what was handed over, what is under way, and what waits. */
const counts = ({ resource }: KnownDispense): boolean =>
  useOfDispense(resource) !== undefined || resource['status'] === 'on-hold';

/** Fills that these are, and what they come to in the unit of the order; `sum` undefined where one cannot be compared. */
const added = (
  dispenses: readonly Resource[],
  perFill: fhir4.Quantity | undefined,
  units: Units,
): { fills: number; sum: number | undefined } => {
  let [fills, parts, sum]: [number, number, number | undefined] = [0, 0, perFill ? 0 : undefined];
  for (const each of dispenses as readonly unknown[] as readonly Dispense[]) {
    const quantity = perFill && each.quantity && suppliedIn(perFill, each.quantity, units);
    sum = sum === undefined || quantity === undefined ? undefined : sum + quantity;
    if (isPart(each)) parts += quantity ?? 0;
    else fills++;
  }
  return { fills: fills + (perFill?.value ? Math.ceil(parts / perFill.value - tolerance) : 0), sum };
};

/**
 * What was supplied of an order, and what is left of it.
 *
 * @param dispenses - those of the order; which of them count, is told here.
 */
export const supplyOf = (order: Resource, dispenses: readonly KnownDispense[], units: Units): Supply => {
  const {
    quantity,
    numberOfRepeatsAllowed: repeats,
    expectedSupplyDuration,
    initialFill,
    dispenseInterval,
    validityPeriod,
  } = requestOf(order);
  const notReckoned = new Set<NotReckoned>();
  const counted = dispenses.filter(counts);
  const handedOver = counted.filter(({ resource }) => useOfDispense(resource) === 'happened');
  const perFill = quantity?.value === undefined ? undefined : quantity;
  const all = added(
    counted.map(({ resource }) => resource),
    perFill,
    units,
  );
  const done = added(
    handedOver.map(({ resource }) => resource),
    perFill,
    units,
  );
  const first = initialFill?.quantity && perFill ? inUnitOf(perFill, initialFill.quantity, units) : perFill?.value;
  const allowed = repeats === undefined ? undefined : repeats + 1;
  const total =
    repeats === undefined || first === undefined || perFill?.value === undefined
      ? undefined
      : first + repeats * perFill.value;
  if (repeats === undefined) notReckoned.add('repeats-not-told');
  if (!perFill) notReckoned.add('quantity-not-told');
  else if (all.sum === undefined || first === undefined) notReckoned.add('quantity-not-comparable');

  let lastsUntil: number | undefined;
  const interval = daysIn(dispenseInterval, units);
  const dated = counted.flatMap((each) => {
    const at = dateOf(each);
    if (at === undefined) notReckoned.add('date-not-told');
    return at === undefined ? [] : [{ at, dispense: each.resource as unknown as Dispense }];
  });
  for (const [index, { at, dispense }] of dated.sort((one, other) => one.at - other.at).entries()) {
    const asOrdered =
      (index === 0 && initialFill?.duration ? initialFill.duration : undefined) ?? expectedSupplyDuration;
    const share = perFill?.value && dispense.quantity ? suppliedIn(perFill, dispense.quantity, units) : undefined;
    const ofShare =
      share === undefined || !perFill?.value
        ? isPart(dispense)
          ? undefined
          : 1
        : share / (index === 0 && first ? first : perFill.value);
    const expected = daysIn(asOrdered, units);
    const told = daysIn(dispense.daysSupply, units);
    const lasts =
      (told !== undefined && told > 0 ? told : undefined) ??
      (expected === undefined || ofShare === undefined ? undefined : expected * ofShare);
    if (lasts === undefined && interval === undefined) {
      notReckoned.add('duration-not-told');
      continue;
    }
    lastsUntil = Math.max(Math.max(lastsUntil ?? at, at) + (lasts ?? 0) * dayMs, at + (interval ?? 0) * dayMs);
  }
  const validFrom = startOf(validityPeriod?.start);
  const validTo = validityPeriod?.end === undefined ? undefined : dateInterval(validityPeriod.end)?.end;
  if (validFrom === undefined && validTo === undefined) notReckoned.add('validity-not-told');
  return {
    fills: done.fills,
    underWay: all.fills - done.fills,
    ...(allowed === undefined ? {} : { allowed, left: Math.max(0, allowed - all.fills) }),
    ...(all.sum === undefined ? {} : { supplied: all.sum }),
    ...(total === undefined ? {} : { total }),
    ...(lastsUntil === undefined ? {} : { lastsUntil }),
    ...(validFrom === undefined ? {} : { validFrom }),
    ...(validTo === undefined ? {} : { validTo }),
    ...(perFill ? { unit: perFill } : {}),
    notReckoned: [...notReckoned],
  };
};

const day = (at: number): string => new Date(at).toISOString().slice(0, 10);
const rounded = (value: number): number => Number(value.toPrecision(12));
const measure = (value: number, { unit, code }: fhir4.Quantity): string =>
  [rounded(value), unit ?? code].join(' ').trim();

/**
 * What speaks against a dispense by what the order lets be supplied: pure figures, which a pharmacist may have a reason to go beyond.
 *
 * @param others - the other dispenses of the order.
 * @param now - milliseconds since 1970: the time of what is under way and says none.
 */
export const judgeDispense = (
  order: Resource,
  dispense: Resource,
  others: readonly KnownDispense[],
  { now, units }: { readonly now: number; readonly units: Units },
): { readonly findings: readonly SupplyFinding[]; readonly notReckoned: readonly NotReckoned[] } => {
  const own: KnownDispense = { resource: dispense, updated: now };
  const at = dateOf(own);
  const before = supplyOf(order, others, units);
  const after = supplyOf(order, [...others, own], units);
  // What was handed over later does not make an earlier supply early.
  const earlier =
    at === undefined
      ? before
      : supplyOf(
          order,
          others.filter((each) => (dateOf(each) ?? at) <= at),
          units,
        );
  const findings: SupplyFinding[] = [];
  const { allowed, total, unit } = after;
  const fills = after.fills + after.underWay;
  if (allowed !== undefined && fills > allowed)
    findings.push({
      code: 'repeats-exceeded',
      text: `The order allows ${allowed} fills (the first and ${allowed - 1} repeats); ${before.fills} were handed over and ${before.underWay} are under way, and this would make ${fills}`,
    });
  if (total !== undefined && unit && after.supplied !== undefined && after.supplied > total * (1 + tolerance))
    findings.push({
      code: 'quantity-exceeded',
      text: `The order allows ${measure(total, unit)} in all; ${measure(before.supplied ?? 0, unit)} were supplied or are under way, and this would make ${measure(after.supplied, unit)}`,
    });
  if (at !== undefined && earlier.lastsUntil !== undefined && day(at) < day(earlier.lastsUntil))
    findings.push({
      code: 'early',
      text: `What was supplied lasts until ${day(earlier.lastsUntil)}, the earliest date of the next supply; this one is of ${day(at)}`,
    });
  const { validFrom, validTo } = after;
  if (
    at !== undefined &&
    ((validFrom !== undefined && at < validFrom && day(at) < day(validFrom)) ||
      (validTo !== undefined && at >= validTo))
  )
    findings.push({
      code: 'outside-validity',
      text: `The order may be filled ${[validFrom === undefined ? '' : `from ${day(validFrom)}`, validTo === undefined ? '' : `until ${day(validTo - 1)}`].join(' ').trim()}; this supply is of ${day(at)}`,
    });
  return {
    findings,
    notReckoned: [...new Set([...after.notReckoned, ...(at === undefined ? ['date-not-told' as const] : [])])],
  };
};
